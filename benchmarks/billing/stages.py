"""The stages of a month, in their order, on one database; what each needs is made before it, unmeasured."""

import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.billing import floor, usage
from benchmarks.billing.cost import Cost
from benchmarks.billing.histories import EVENTS, MONTH, write_history
from benchmarks.billing.single import seconds_of_single_drafts
from benchmarks.billing.world import World

TENANTS_OF_EACH: Final = 5
ONE_EACH_WITH_DOCUMENTS: Final = 2000
LARGEST_WITH_DOCUMENTS: Final = 10_000
"""Documents are made for so many tenants at most: their number per second is the same for more."""


@dataclass(frozen=True)
class Measured:
    """What one stage cost, and how many things of which kind it was about."""

    stage: str
    tenants: int
    count: int
    things: str
    cost: Cost


@dataclass
class Month:
    """The database of a month, how many tenants and organisations it has, and what was measured so far."""

    world: World
    database: str
    tenants: int
    organisations: int
    measured: list[Measured] = field(default_factory=list)
    single_drafts: list[float] = field(default_factory=list)

    def run(self, stage: str, count: int, things: str, *arguments: str) -> None:
        """Measure a command."""
        self.keep(stage, count, things, self.world.cost(self.database, *arguments))

    def keep(self, stage: str, count: int, things: str, cost: Cost) -> None:
        """Keep what a stage cost, and say it."""
        self.measured.append(Measured(stage, self.tenants, count, things, cost))
        print(
            f"{time.strftime('%H:%M:%S')} {stage}, {self.tenants:,} tenants: {cost.wall:.1f} s",
            file=sys.stderr,
            flush=True,
        )


def _import(month: Month) -> None:
    history = month.world.folder / "history.jsonl"
    write_history(history, month.tenants, month.tenants // month.organisations)
    month.run("import of events", month.tenants * EVENTS, "events", "ledger", "import", str(history))
    month.world.configure_organisations(month.database)
    month.world.settle(month.database)


def _usage(month: Month) -> None:
    usage.collect(month.world.url(month.database))
    month.world.settle(month.database)
    file = month.world.folder / "usage.jsonl"
    count = usage.write_usage(file, month.world.url(month.database))
    month.run("import of usage", count, "records", "usage", "import", str(file))
    month.world.settle(month.database)


def _single(month: Month) -> None:
    month.single_drafts = seconds_of_single_drafts(month.world.url(month.database), month.organisations)


def _drafts(month: Month) -> None:
    month.run("drafts", month.organisations, "drafts", "invoice", "draft", "--month", MONTH, "--all", "-o", "json")


def _floor(month: Month) -> None:
    month.keep("totals by SQL", month.organisations, "totals", floor.totals_by_sql(month.world, month.database))


def _dry_run(month: Month) -> None:
    month.run("run, dry", month.organisations, "invoices", "invoice", "run", "--month", MONTH, "--dry-run")


def _run(month: Month) -> None:
    month.run("run", month.organisations, "invoices", "invoice", "run", "--month", MONTH)
    floor.require_equal_totals(month.world, month.database, month.organisations)


def _documents(month: Month) -> None:
    if month.tenants <= LARGEST_WITH_DOCUMENTS:
        month.run("documents", month.organisations, "PDFs", "invoice", "render", "--month", MONTH)


def _verify(month: Month) -> None:
    month.run("verify", month.organisations, "invoices", "verify", "--all")


STAGES: Final[Mapping[str, Callable[[Month], None]]] = {
    "import": _import,
    "usage": _usage,
    "single": _single,
    "drafts": _drafts,
    "floor": _floor,
    "dry": _dry_run,
    "run": _run,
    "documents": _documents,
    "verify": _verify,
}
NEEDED: Final = {"import", "floor", "run"}
"""Without these there is nothing to measure, or nothing to compare it with."""


def measure(world: World, tenants: int, chosen: Collection[str]) -> Month:
    """The chosen stages of a month with so many tenants, five of each organisation."""
    with world.database("month") as database:
        month = Month(world, database, tenants, tenants // TENANTS_OF_EACH)
        for name, stage in STAGES.items():
            if name in chosen or name in NEEDED:
                stage(month)
    return month


def measure_documents(world: World, *, e_invoice: bool) -> Month:
    """Documents of organisations with one tenant each, of some six lines; with e-invoice or with payment part alone."""
    with world.database("documents") as database:
        if not e_invoice:
            world.forget_vat_number(database)
        month = Month(world, database, ONE_EACH_WITH_DOCUMENTS, ONE_EACH_WITH_DOCUMENTS)
        for stage in (_import, _floor, _run, _documents):
            stage(month)
    return month


def measure_single_tenants(world: World, tenants: int) -> Month:
    """Import and run of organisations with one tenant each, and no more usage than the history has."""
    with world.database("single") as database:
        month = Month(world, database, tenants, tenants)
        for stage in (_import, _floor, _run):
            stage(month)
    return month
