"""The story: what happens to three tenants, and what it costs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection
from datetime import datetime, timedelta

import psycopg
from rich.console import Console

from pieced_local import places
from pieced_local.demo.ledger import Ledger
from pieced_local.demo.telling import Telling, bounds
from pieced_local.stack import Stack
from pieced_local.zone import ZONE

SAMPLES = places.PROJECT / "samples"
TENANTS = ("acme", "acme-lab", "bergbahn")
ORGANISATIONS = ("310001", "310002")


def tell(stack: Stack, console: Console) -> None:
    """Tell the whole story on a running stack. Raises what stands in its way as a LocalError."""
    with psycopg.connect(stack.database["DATABASE_URL"], autocommit=True) as connection:
        story = _Story(stack, connection, Telling(console))
        started = time.monotonic()
        story.offer_and_order()
        story.change_tenants()
        story.change_behind_the_operators_back()
        story.bill_the_past(datetime.now(ZONE))
        console.print(f"\n[bold green]From kubectl apply to invoices in {time.monotonic() - started:.0f} s.[/]")


class _Story:
    def __init__(self, stack: Stack, connection: psycopg.Connection, telling: Telling) -> None:
        self._stack = stack
        self._connection = connection
        self._telling = telling

    def offer_and_order(self) -> None:
        """The catalogue, its prices, two organisations, three tenants."""
        self._telling.chapter("The offer: a catalogue of packages, prices, and who is billed")
        self._kubectl("delete", "piecedtenants", *TENANTS, "--ignore-not-found", quiet=True)
        self._kubectl("apply", "-f", "samples/packages.yaml")
        self._pieced("price", "apply", "-f", "samples/prices.yaml")
        self._pieced("org", "apply", "-f", "samples/orgs.yaml")
        self._pieced("issuer", "apply", "-f", "samples/issuers.yaml")

        self._telling.chapter("Three tenants are ordered")
        ledger = Ledger.from_now_on(self._connection)
        self._kubectl("apply", "-f", "samples/tenants.yaml")
        self._telling.says("In the ledger, and how long after kubectl was called:")
        events = [event for tenant in TENANTS for event in ledger.await_events(tenant, {"created", "enabled"})]
        self._telling.events(events, ledger.since)
        self._await_ready(*TENANTS)
        self._kubectl("get", "piecedtenants")
        self._kubectl("get", "all,persistentvolumeclaims,networkpolicies", "--namespace", "tenant-acme")

    def change_tenants(self) -> None:
        """Every kind of change, each with the rows that it makes."""
        self._telling.chapter("Acme switches Telegram on, and off again")
        packages = ["searxng-local-search", "threema"]
        self._change("acme", {"packages": [*packages, "telegram"]}, {"enabled"})
        self._change("acme", {"packages": packages}, {"disabled"})

        self._telling.chapter("Acme's laboratory is suspended, and resumed")
        self._change("acme-lab", {"suspend": True}, {"suspended"})
        self._kubectl("wait", "--for=jsonpath={.status.phase}=Suspended", "piecedtenant/acme-lab", "--timeout=60s")
        self._change("acme-lab", {"suspend": False}, {"resumed"})
        self._await_ready("acme-lab")

        self._telling.chapter("Acme's laboratory is deleted")
        ledger = Ledger.from_now_on(self._connection)
        self._kubectl("delete", "piecedtenant", "acme-lab")
        self._telling.events(ledger.await_events("acme-lab", {"deleted"}), ledger.since)

    def change_behind_the_operators_back(self) -> None:
        """A change while the operator is away is replayed when it is back, and recorded with the bounds that it had."""
        self._telling.chapter("The operator is away while Bergbahn gives up Discord")
        self._telling.says("SIGTERM to the operator …")
        self._stack.operator.stop()
        self._patch("bergbahn", {"packages": ["telegram"]})
        ledger = Ledger.from_now_on(self._connection)
        self._telling.says("… and it is started again:")
        self._stack.operator.start()
        disabled, *_ = events = ledger.await_events("bergbahn", {"disabled"})
        self._telling.events(events, ledger.since)
        lower, upper = bounds(disabled)
        self._telling.says(f"Between {lower} and {upper}: as the API server wrote it, though nobody watched.")

    def bill_the_past(self, now: datetime) -> None:
        """The last three months become invoices, the current one a draft, one invoice a PDF; one line is explained."""
        self._telling.chapter("Three months of history become invoices")
        current = f"{now:%Y-%m}"
        self._import_history(current)
        months = _months_before(now, 3)
        for month in months:
            self._pieced("invoice", "run", "--month", month)
        self._pieced("invoice", "list")
        numbers = self._numbers(months)
        for number in numbers.values():
            self._pieced("invoice", "show", number)

        self._telling.chapter(f"What {current} will cost if nothing changes any more")
        for org in ORGANISATIONS:
            self._pieced("invoice", "draft", "--month", current, "--org", org)

        self._telling.chapter("The invoice that a customer gets: a PDF with a Swiss QR-bill")
        number = numbers[ORGANISATIONS[0], months[-1]]
        pdf = places.state() / f"{number}.pdf"
        self._pieced("invoice", "pdf", number, "-o", os.path.relpath(pdf, places.PROJECT))
        self._telling.says(f"{pdf.stat().st_size:,} bytes in {pdf}")

        self._telling.chapter("Why a line of it is what it is")
        self._pieced("explain", number, "--line", str(self._place(number, "acme-workshop")))

    def _numbers(self, months: Collection[str]) -> dict[tuple[str, str], str]:
        """The numbers of our two organisations' invoices for these months, by organisation and month."""
        invoices = json.loads(self._stack.pieced("invoice", "list", "-o", "json"))
        ours = [one for one in invoices if one["org"] in ORGANISATIONS and one["period"] in months]
        return {(one["org"], one["period"]): one["number"] for one in ours}

    def _place(self, number: str, tenant: str) -> int:
        """The place of an invoice's first line for a tenant."""
        lines = json.loads(self._stack.pieced("invoice", "show", number, "-o", "json"))["lines"]
        return next(place for place, line in enumerate(lines, start=1) if line["tenant"] == tenant)

    def _import_history(self, month: str) -> None:
        history = places.state() / "history.jsonl"
        script = SAMPLES / "make_history.py"
        self._telling.runs("python", ["samples/make_history.py", month])
        written = subprocess.run([sys.executable, script, month], capture_output=True, text=True, check=True)
        history.write_text(written.stdout)
        self._telling.shows(f"{len(written.stdout.splitlines())} lines, such as\n{written.stdout.splitlines()[0]}")
        self._pieced("ledger", "import", os.path.relpath(history, places.PROJECT))

    def _change(self, tenant: str, spec: dict[str, object], kinds: Collection[str]) -> None:
        ledger = Ledger.from_now_on(self._connection)
        self._patch(tenant, spec)
        self._telling.events(ledger.await_events(tenant, kinds), ledger.since)

    def _patch(self, tenant: str, spec: dict[str, object]) -> None:
        self._kubectl("patch", "piecedtenant", tenant, "--type=merge", f"-p={json.dumps({'spec': spec})}")

    def _await_ready(self, *tenants: str) -> None:
        names = [f"piecedtenant/{tenant}" for tenant in tenants]
        self._kubectl("wait", "--for=condition=Ready", *names, "--timeout=60s")

    def _kubectl(self, *arguments: str, quiet: bool = False) -> None:
        if not quiet:
            self._telling.runs("kubectl", arguments)
        output = self._stack.cluster.kubectl(*arguments)
        if not quiet:
            self._telling.shows(output)

    def _pieced(self, *arguments: str) -> None:
        self._telling.runs("pieced", arguments)
        self._telling.shows(self._stack.pieced(*arguments))


def _months_before(now: datetime, count: int) -> list[str]:
    """The `count` months before the month of `now`, oldest first."""
    months = []
    first = now.date().replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(f"{first:%Y-%m}")
    return months[::-1]
