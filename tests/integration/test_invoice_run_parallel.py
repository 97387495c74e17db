"""An invoice run however often, however parallel, and killed in the middle: one invoice each, no number missing."""

import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import psycopg
import pytest

from pieced_billing.calendar import Month
from pieced_billing.errors import Unavailable
from pieced_billing.invoicing.number import NumberSeries, take_numbers
from pieced_billing.invoicing.run import BATCH_TENANTS
from pieced_billing.parties.issuing_terms import DEFAULT_ISSUER, SERIES
from pieced_billing.prices.changes import PeriodFinalised
from pieced_billing.store.connections import connect
from tests.books import MARCH, add_customers, add_many_customers, first_numbers, numbers, run_invoices, set_prices
from tests.commands import run_pieced
from tests.databases import Database
from tests.fault_points import points_of
from tests.locks import await_no_locks, await_waiting

pytestmark = pytest.mark.both_servers

PARALLEL = 8
KILLED = 200
CUSTOMERS = 5
MONTHS = [Month(year, number) for year in (2024, 2025) for number in range(1, 13)]


def test_parallel_runs_of_many_months(database: Database) -> None:
    with connect(database.url) as connection:
        add_customers(connection, CUSTOMERS)
        connection.autocommit = True
        connection.execute("UPDATE tenant_billing_lifecycle SET created_at = '2023-01-01T00:00:00Z'")
    together = threading.Barrier(PARALLEL)

    def runs(_: int) -> list[str]:
        found: list[str] = []
        with connect(database.url) as connection:
            for month in MONTHS:
                together.wait()
                found += run_invoices(connection, month).numbers
        return found

    with ThreadPoolExecutor(PARALLEL) as threads:
        by_run = list(threads.map(runs, range(PARALLEL)))
    given = sorted(number for found in by_run for number in found)
    with connect(database.url) as connection:
        assert given == first_numbers(connection, CUSTOMERS * len(MONTHS))
    _assert_each_once(database, CUSTOMERS, MONTHS)


def test_backends_killed_in_the_middle(database: Database) -> None:
    with connect(database.url) as connection:
        add_customers(connection, CUSTOMERS)
    done = threading.Event()

    def kill() -> int:
        """Terminate who finalises, at most KILLED times: even a slow machine gets through. Returns how often."""
        killed = 0
        with connect(database.url) as killer:
            killer.autocommit = True
            while killed < KILLED and not done.wait(0.005):
                killed += killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
                    " AND xact_start IS NOT NULL ORDER BY random() LIMIT 1"
                ).rowcount
        return killed

    def runs(month: Month) -> None:
        """A run, again until it gets through; each failure takes one of the kills."""
        for _ in range(KILLED + 1):
            try:
                with connect(database.url) as connection:
                    run_invoices(connection, month)
                    return
            except (psycopg.OperationalError, Unavailable):
                continue
        raise AssertionError(f"{month} never got through")

    months = [Month(2026, number) for number in range(3, 11)]
    with ThreadPoolExecutor(PARALLEL + 1) as threads:
        killer = threads.submit(kill)
        try:
            list(threads.map(runs, months * 2))
        finally:
            done.set()
        assert killer.result() > 0
    with connect(database.url) as connection:
        assert numbers(connection) == first_numbers(connection, CUSTOMERS * len(months))
    _assert_each_once(database, CUSTOMERS, months)


def test_sixteen_writers_who_give_up_a_third_leave_no_number_out(database: Database) -> None:
    series = NumberSeries(DEFAULT_ISSUER, SERIES, 2026)

    def writes(seed: int) -> list[int]:
        chosen = Random(seed)
        given: list[int] = []
        with connect(database.url) as connection:
            connection.autocommit = True
            for _ in range(25):
                gives_up = chosen.random() < 0.3
                with connection.transaction(force_rollback=gives_up):
                    numbers = take_numbers(connection, series, chosen.randint(1, 3))
                given += [] if gives_up else numbers
        return given

    with ThreadPoolExecutor(16) as threads:
        given = sorted(number for of_writer in threads.map(writes, range(16)) for number in of_writer)
    assert given == list(range(1, len(given) + 1))
    assert len(given) > 16 * 25


@pytest.mark.parametrize("point", points_of(__file__))
def test_a_process_that_dies_loses_and_doubles_nothing(database: Database, point: str, tmp_path: Path) -> None:
    """The second batch dies at each point; the first is kept, and the next run goes on."""
    customers = BATCH_TENANTS + 3
    with connect(database.url) as connection:
        add_many_customers(connection, customers)
    log = tmp_path / "faults.log"
    environment = database.env() | {"PIECED_FAULT": f"{point}:2", "PIECED_FAULT_LOG": str(log)}
    died = run_pieced("invoice", "run", "--month", str(MARCH), env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    assert log.read_text() == f"{point}\n"
    with connect(database.url) as connection:
        kept = customers if point == "run.after_commit" else BATCH_TENANTS
        await_no_locks(database)
        assert numbers(connection) == first_numbers(connection, kept)
    run_pieced("invoice", "run", "--month", str(MARCH), env=database.env())
    with connect(database.url) as connection:
        assert numbers(connection) == first_numbers(connection, customers)
    _assert_each_once(database, customers, [MARCH])


def test_a_run_and_a_price_change_do_not_cross(database: Database) -> None:
    """A change waits for the transaction of a batch, and is then refused; one that is first is on every invoice."""
    with connect(database.url) as connection:
        add_customers(connection, 1)
    with connect(database.url) as running, connect(database.url) as changing, ThreadPoolExecutor(1) as thread:
        with running.transaction():
            run_invoices(running)
            change = thread.submit(set_prices, changing, {"platform": [{"tenant_monthly_fee_chf": "62.00"}]})
            await_waiting(database)
        with pytest.raises(PeriodFinalised):
            change.result()


def _assert_each_once(database: Database, customers: int, months: Sequence[Month]) -> None:
    query = "SELECT period_start, count(*), count(DISTINCT zitadel_org_id) FROM invoices GROUP BY 1 ORDER BY 1"
    with connect(database.url) as connection:
        found = connection.execute(query).fetchall()
    assert found == [(month.first, customers, customers) for month in months]
