"""Drafts and an invoice run in several processes: everybody once, no number missing, also when the processes die."""

from pathlib import Path

import pytest

from pieced_billing.errors import Refused, Unavailable
from pieced_billing.invoicing.drafts_in_processes import draft_documents
from pieced_billing.invoicing.outcome import Outcome
from pieced_billing.invoicing.run import BATCH_TENANTS
from pieced_billing.invoicing.run_in_processes import run_in_processes
from pieced_billing.invoicing.wish import Wish
from pieced_billing.store.connections import Connection, connect
from tests.books import MARCH, add_many_customers, add_tenant, first_numbers, numbers
from tests.databases import Database

CUSTOMERS = BATCH_TENANTS + 3


def _run(connection: Connection, url: str, *, dry: bool = False) -> tuple[Outcome, list[int]]:
    total, steps = Outcome(), []
    for to_come, outcome in run_in_processes(connection, url, MARCH, Wish(dry=dry), processes=2):
        total.add(outcome)
        steps.append(to_come)
    return total, steps


def test_two_processes_draft_what_one_does_and_invoice_everybody_once(database: Database) -> None:
    with connect(database.url) as connection, connect(database.url) as other:
        add_many_customers(connection, CUSTOMERS)
        add_tenant(connection, "stranger", "tenant-of-stranger")
        connection.commit()
        alone, together = (list(draft_documents(other, database.url, MARCH, processes=number)) for number in (1, 2))
        assert (together, len(together)) == (alone, CUSTOMERS + 1)
        dry, _ = _run(connection, database.url, dry=True)
        assert (len(dry.numbers), numbers(connection)) == (CUSTOMERS, [])
        total, steps = _run(connection, database.url)
        assert total.numbers == numbers(connection) == first_numbers(connection, CUSTOMERS)
        assert [parked.org for parked in total.parked] == ["stranger"]
        assert (steps[0], steps[-1], len(steps)) == (CUSTOMERS + 1, 0, 3)
        again, _ = _run(connection, database.url)
        assert (again.invoiced_before, again.numbers) == (CUSTOMERS, [])


def test_processes_that_die_stop_the_run_and_lose_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connect(database.url) as connection:
        add_many_customers(connection, CUSTOMERS)
        with monkeypatch.context() as environment:
            environment.setenv("PIECED_FAULT", "run.after_numbers")
            environment.setenv("PIECED_FAULT_LOG", str(tmp_path / "faults.log"))
            with pytest.raises(Unavailable, match="the next run goes on where it stopped"):
                _run(connection, database.url)
        assert (tmp_path / "faults.log").read_text() == "run.after_numbers\n" * 2
        assert numbers(connection) == []
        total, _ = _run(connection, database.url)
        assert total.numbers == first_numbers(connection, CUSTOMERS)


def test_what_stops_a_process_is_said_in_its_words(database: Database) -> None:
    with connect(database.url) as connection, connect(database.owner_url) as owner:
        add_many_customers(connection, CUSTOMERS)
        owner.execute(f"REVOKE INSERT ON invoice_lines FROM {connection.info.user}")
        owner.commit()
        with pytest.raises(Refused, match="The database does not allow it: permission denied for table invoice_lines"):
            _run(connection, database.url)
        assert numbers(connection) == []
