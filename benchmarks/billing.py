"""`make bench-billing`: import, drafts and invoice run of 10,000 and 100,000 tenants with ten events each.

The commands run as their users run them, each a process, on an embedded PostgreSQL that keeps its promises (fsync on).
Every repetition meets a database of its own.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.cost import Cost, cost_of
from benchmarks.histories import EVENTS, MONTH, PRICES, write_history
from benchmarks.machine import machine
from benchmarks.report import put_into, table
from pieced_billing.ledger.chain import LINKED
from pieced_local.postgres import installation, server
from tests.commands import PIECED, clean_environment, run_pieced
from tests.folders import worker_folder

PAGE = Path("docs/performance.md")
MARK = "bench-billing"
UPGRADED = "upgraded"
STEPS = ("import", "drafts", "invoice run")
FILLED = ("tenant_billing_lifecycle", "ledger_chains", *LINKED)
COUNTED = {"import": "events", "drafts": "drafts", "invoice run": "invoices"}
TO_REACH = {"import": "50,000 events/s", "drafts": "10 s for 100,000", "invoice run": "20 s for 100,000"}


@dataclass(frozen=True)
class Measured:
    """The repetitions of each step for one number of tenants, and how many lines the invoices have."""

    tenants: int
    costs: dict[str, list[Cost]]
    invoice_lines: int

    def median(self, step: str, of: Callable[[Cost], float]) -> float:
        """The median of one figure of a step."""
        return statistics.median(of(cost) for cost in self.costs[step])


@dataclass(frozen=True)
class World:
    """A running server, the process that is its postmaster, and a history to import."""

    postgres: server.Server
    postmaster: int
    history: Path

    def environment(self, database: str) -> dict[str, str]:
        return clean_environment() | {
            "DATABASE_URL": self.postgres.url(server.APPLICATION, database),
            "PIECED_OWNER_URL": self.postgres.url(server.OWNER, database),
        }

    def cost(self, database: str, *arguments: str) -> Cost:
        return cost_of([str(PIECED), *arguments], self.environment(database), self.postmaster)


def main() -> None:
    """Measure the sizes asked for and write the table into docs/performance.md."""
    parser = argparse.ArgumentParser(description="Measure billing; the table goes into docs/performance.md.")
    parser.add_argument("tenants", type=int, nargs="*", default=[10_000, 100_000], help="sizes to measure")
    parser.add_argument("--times", type=int, default=3, help="repetitions of each step")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(worker_folder())
        data = folder / "postgres"
        postgres = stack.enter_context(server.running(installation.embedded(), data, server.DURABLE))
        postmaster = int((data / "data" / "postmaster.pid").read_text().split()[0])
        world = World(postgres, postmaster, folder / "history.jsonl")
        _prepare(world)
        measured = [measure(world, tenants, asked.times) for tenants in asked.tenants]
    rendered = render(measured)
    print(rendered)
    put_into(PAGE, MARK, f"{rendered}\n\n{machine()}")


def _prepare(world: World) -> None:
    """A database with tables and prices, to be cloned."""
    world.postgres.create_database(UPGRADED)
    environment = world.environment(UPGRADED)
    run_pieced("db", "upgrade", env=environment)
    run_pieced("price", "apply", "-f", "-", env=environment, stdin=PRICES)


def measure(world: World, tenants: int, times: int) -> Measured:
    """Every step so many times, each time on a database of its own."""
    costs: dict[str, list[Cost]] = {step: [] for step in STEPS}
    lines = 0
    write_history(world.history, tenants)
    for number in range(1, times + 1):
        say(f"{tenants:,} tenants, {number} of {times}")
        database = f"bench_{number}"
        world.postgres.create_database(database, UPGRADED)
        costs["import"].append(world.cost(database, "ledger", "import", str(world.history)))
        _settle(world, database)
        costs["drafts"].append(world.cost(database, "invoice", "draft", "--month", MONTH, "--all", "-o", "json"))
        _configure_organisations(world, database)
        costs["invoice run"].append(world.cost(database, "invoice", "run", "--month", MONTH))
        lines = _check(world, database, tenants)
        world.postgres.drop_database(database)
    return Measured(tenants, costs, lines)


def _settle(world: World, database: str) -> None:
    """Do at once what the server would do in the background within a minute, in the middle of what comes next."""
    with psycopg.connect(world.postgres.url(server.SUPERUSER, database), autocommit=True) as connection:
        connection.execute(f"VACUUM (ANALYZE) {', '.join(FILLED)}")
        connection.execute("CHECKPOINT")


def _configure_organisations(world: World, database: str) -> None:
    """Give every organisation of the ledger a configuration; not measured."""
    with psycopg.connect(world.postgres.url(server.APPLICATION, database)) as connection:
        connection.execute(
            "INSERT INTO org_billing_config (zitadel_org_id, name, country, street, postcode, town)"
            " SELECT DISTINCT zitadel_org_id, 'Customer AG', 'CH', 'Bahnhofstrasse', '8001', 'Zürich'"
            " FROM tenant_billing_lifecycle"
        )


def _check(world: World, database: str, tenants: int) -> int:
    """That the run did what it is measured for; returns how many lines the invoices have."""
    with psycopg.connect(world.postgres.url(server.APPLICATION, database)) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM invoices), (SELECT last_number FROM invoice_number_counters),"
            " (SELECT count(*) FROM invoice_lines)"
        ).fetchone()
    assert row is not None
    invoices, last_number, lines = row
    assert invoices == last_number == tenants, f"{invoices} invoices of {tenants} tenants"
    return int(lines)


def render(measured: Sequence[Measured]) -> str:
    """The table: a row for each step and size."""
    header = (
        "step",
        "tenants",
        "median",
        "rate",
        "own CPU",
        "database's CPU",
        "waiting for it",
        "peak memory",
        "to reach",
    )
    rows = [_row(step, one) for step in STEPS for one in measured]
    lines = "; ".join(f"{one.invoice_lines:,} lines on {one.tenants:,} invoices" for one in measured)
    return f"{table(header, rows)}\n\n{lines}."


def _row(step: str, one: Measured) -> tuple[str, ...]:
    wall = one.median(step, lambda cost: cost.wall)
    waiting = one.median(step, lambda cost: max(cost.wall - cost.client_cpu, 0))
    things = one.tenants * EVENTS if step == "import" else one.tenants
    return (
        step,
        f"{one.tenants:,}",
        f"{wall:.1f} s",
        f"{things / wall:,.0f} {COUNTED[step]}/s",
        f"{one.median(step, lambda cost: cost.client_cpu):.1f} s",
        f"{one.median(step, lambda cost: cost.server_cpu):.1f} s",
        f"{waiting:.1f} s ({waiting / wall:.0%})",
        f"{max(cost.peak_memory for cost in one.costs[step]):.0f} MB",
        TO_REACH[step],
    )


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
