"""Invoices below a minimum amount wait for the next bill: nothing is lost, nothing is billed twice."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from pieced_billing.calendar import Month
from pieced_billing.explaining.invoice import explain_invoice
from pieced_billing.invoicing.corrections import correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.load import drafts
from pieced_billing.invoicing.outcome import Outcome
from pieced_billing.invoicing.outcomes import standings
from pieced_billing.store.connections import Connection, connect
from pieced_billing.verification.verify import verify
from tests.books import APRIL, MARCH, add_tenant, organisation, run_invoices, set_organisations, set_prices
from tests.commands import run_pieced
from tests.databases import Database
from tests.issuers import set_minimum
from tests.locks import await_waiting

MAY, JUNE = Month(2026, 5), Month(2026, 6)
ORG, TENANT = "org-0001", "uid-of-small"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """Books with one customer, who uses language models only, and a minimum of CHF 10."""
    with connect(database.url) as opened:
        opened.autocommit = True
        set_minimum(opened, "10.00")
        set_prices(opened, {"platform": [{"tenant_setup_fee_chf": 0, "tenant_monthly_fee_chf": 0}]})
        set_organisations(opened, organisation(ORG))
        add_tenant(opened, ORG, "small")
        yield opened


def use(connection: Connection, quantity: str, at: str, corrects: str | None = None) -> None:
    """The tenant spent so much on language models, recorded now."""
    connection.execute(
        "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at, corrects)"
        " VALUES ('import', %s, %s, 'llm_spend', %s, %s, %s)",
        [f"{at} {quantity}", TENANT, quantity, datetime.fromisoformat(f"{at}T12:00:00+00:00"), corrects],
    )


def delete(connection: Connection, at: str) -> None:
    """The tenant ends."""
    connection.execute(
        "INSERT INTO tenant_lifecycle_events"
        " (tenant_uid, tenant_name, zitadel_org_id, seq, event_kind, occurred_at, quality, source)"
        " VALUES (%s, 'small', %s, 2, 'deleted', %s, 'exact', 'import')",
        [TENANT, ORG, datetime.fromisoformat(at)],
    )
    connection.execute("UPDATE tenant_billing_lifecycle SET deleted_at = %s", [datetime.fromisoformat(at)])


def billed(connection: Connection) -> list[tuple[Any, ...]]:
    """The lines of every document: its period, their first day of service, what they are, and the amount."""
    return connection.execute(
        "SELECT to_char(period_start, 'YYYY-MM'), service_from::text, line.kind, amount FROM invoices"
        " JOIN invoice_lines AS line ON invoice_id = invoices.id ORDER BY invoice_id, position"
    ).fetchall()


def stages(connection: Connection, *months: Month) -> list[tuple[str, str | None]]:
    return [(one.stage, one.number) for month in months for one in standings(connection, month)]


def in_all(connection: Connection) -> Decimal:
    """What is billed and not taken back, without VAT."""
    return sum((row[0] for row in connection.execute("SELECT net FROM invoices")), Decimal(0))


def wrong(database: Database) -> list[tuple[str, str, str]]:
    """What `pieced verify` finds."""
    with connect(database.url) as connection:
        return [(one.what, one.stored, one.right) for one in verify(connection).differences]


def test_small_months_are_carried_to_the_next_bill_with_their_own_days(
    database: Database, connection: Connection
) -> None:
    use(connection, "2.00", "2026-03-05")
    assert run_invoices(connection, dry=True).carried == [ORG]
    assert stages(connection, MARCH) == [("draft", None)]
    for _ in range(2):
        outcome = run_invoices(connection)
        assert (outcome.carried, outcome.numbers) == ([ORG], [])
    use(connection, "1.00", "2026-04-05")
    assert run_invoices(connection, APRIL).carried == [ORG]
    assert run_invoices(connection, JUNE).held == [ORG]  # nothing of its own: two months wait beside it
    use(connection, "20.00", "2026-05-05")
    said = run_pieced("invoice", "run", "--month", "2026-03", env=database.env()).stdout
    assert "1 below the minimum amount, carried on" in said
    (number,) = run_invoices(connection, MAY).numbers
    assert billed(connection) == [
        ("2026-05", "2026-03-05", "llm_spend", Decimal("2.00")),
        ("2026-05", "2026-04-05", "llm_spend", Decimal("1.00")),
        ("2026-05", "2026-05-05", "llm_spend", Decimal("20.00")),
    ]
    assert stages(connection, MARCH, APRIL, MAY) == [("finalised", number)] * 3
    for month in (MARCH, APRIL, MAY):
        assert run_invoices(connection, month).invoiced_before == 1
    shown = json.loads(run_pieced("invoice", "show", number, "-o", "json", env=database.env()).stdout)
    assert [line.get("carried_from") for line in shown["lines"]] == ["2026-03", "2026-04", None]
    (again,) = drafts(connection, MAY, [ORG])
    assert [line.amount for line in again.lines] == [Decimal("2.00"), Decimal("1.00"), Decimal("20.00")]
    printed = run_pieced("invoice", "show", number, env=database.env()).stdout
    assert "carried from 2026-04: LLM spend" in printed
    assert wrong(database) == []
    explained = explain_invoice(connection, number)
    assert [one.differences for one in explained.lines] == [()] * 3
    said = run_pieced("explain", number, "--line", "1", env=database.env()).stdout
    assert "2026-03-05" in said
    with connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE carried_periods DISABLE TRIGGER USER")
        owner.execute("DELETE FROM carried_periods WHERE period_start = '2026-04-01'")
    assert wrong(database) == [("carried_periods", "2026-03", "2026-03, 2026-04")]


def test_a_carried_month_that_grew_enough_is_billed_for_itself(connection: Connection) -> None:
    use(connection, "2.00", "2026-03-05")
    run_invoices(connection)
    use(connection, "30.00", "2026-03-06")
    assert len(run_invoices(connection).numbers) == 1
    use(connection, "40.00", "2026-04-06")
    assert len(run_invoices(connection, APRIL).numbers) == 1
    assert [line[:2] for line in billed(connection)] == [("2026-03", "2026-03-05"), ("2026-04", "2026-04-06")]


def test_rule_17_what_comes_late_to_a_carried_month_is_adjusted_once(
    database: Database, connection: Connection
) -> None:
    use(connection, "2.00", "2026-03-05")
    run_invoices(connection)
    use(connection, "20.00", "2026-04-05")
    (number,) = run_invoices(connection, APRIL).numbers
    use(connection, "15.00", "2026-03-06")
    use(connection, "4.00", "2026-04-06")
    run_invoices(connection, MAY)
    assert billed(connection)[2:] == [
        ("2026-05", "2026-03-06", "adjustment", Decimal("15.00")),
        ("2026-05", "2026-04-06", "adjustment", Decimal("4.00")),
    ]
    use(connection, "12.00", "2026-06-06")
    run_invoices(connection, JUNE)
    assert len(billed(connection)) == 5
    assert in_all(connection) == Decimal("53.00")

    credit_invoice(connection, number, Wanted(), "wrong address")
    assert stages(connection, MARCH, APRIL) == [("carried", None), ("draft", None)]
    (drafted,) = drafts(connection, APRIL, [ORG])
    assert drafted.net == Decimal("22.00")  # 41.00 less the 19.00 that May has put right
    assert len(run_invoices(connection, APRIL).numbers) == 1
    assert in_all(connection) == Decimal("53.00")
    assert [stage for stage, _ in stages(connection, MARCH, APRIL, MAY)] == ["finalised"] * 3
    assert wrong(database) == []


def test_adjustments_wait_too_but_never_what_the_customer_gets_back(database: Database, connection: Connection) -> None:
    use(connection, "20.00", "2026-03-05")
    run_invoices(connection)
    use(connection, "3.00", "2026-03-06")
    said = run_pieced("invoice", "run", "--month", "2026-04", env=database.env()).stdout
    assert "; 0 without anything to bill; 1 below the minimum amount, carried on; " in said
    assert stages(connection, APRIL) == [("held", None)]
    use(connection, "1.00", "2026-05-05")
    assert run_invoices(connection, MAY).carried == [ORG]
    use(connection, "-9.00", "2026-03-07", corrects="2026-03-05 20.00")
    (note,) = run_invoices(connection, JUNE).numbers
    assert note.startswith("CN-")
    assert stages(connection, APRIL, MAY, JUNE) == [("empty", None), ("finalised", note), ("finalised", note)]
    use(connection, "2.00", "2026-03-08")
    assert run_invoices(connection, APRIL).held == [ORG]
    assert stages(connection, APRIL) == [("held", None)]
    assert in_all(connection) == Decimal("15.00")
    assert wrong(database) == []


def test_a_held_month_to_which_something_comes_late_waits_for_somebody(connection: Connection) -> None:
    use(connection, "20.00", "2026-03-05")
    run_invoices(connection)
    use(connection, "3.00", "2026-03-06")
    assert run_invoices(connection, APRIL).held == [ORG]
    use(connection, "12.00", "2026-04-05")
    assert run_invoices(connection, MAY).reopened == [(APRIL, ORG)]
    assert stages(connection, APRIL) == [("parked", None)]


def run_beside(database: Database, first: Month, second: Month) -> tuple[Outcome, Outcome]:
    """Two runs, of which the second has drafted its bills when the first commits."""
    with connect(database.url) as one, connect(database.url) as other, ThreadPoolExecutor(1) as thread:
        with one.transaction():
            before = run_invoices(one, first)
            running = thread.submit(run_invoices, other, second)
            await_waiting(database)
        return before, running.result()


def test_a_month_that_is_carried_while_the_next_is_drafted_is_on_its_bill(
    database: Database, connection: Connection
) -> None:
    use(connection, "6.00", "2026-03-05")
    use(connection, "6.00", "2026-04-05")
    march, april = run_beside(database, MARCH, APRIL)
    assert (march.carried, len(april.numbers)) == ([ORG], 1)
    assert in_all(connection) == Decimal("12.00")
    assert wrong(database) == []


def test_a_carried_month_that_grew_is_billed_once_by_whoever_is_first(
    database: Database, connection: Connection
) -> None:
    use(connection, "6.00", "2026-03-05")
    run_invoices(connection)
    use(connection, "30.00", "2026-03-06")
    use(connection, "20.00", "2026-04-05")
    april, march = run_beside(database, APRIL, MARCH)
    assert (len(april.numbers), march.numbers, march.invoiced_before) == (1, [], 1)
    assert in_all(connection) == Decimal("56.00")
    assert wrong(database) == []


def test_the_last_bill_does_not_wait(connection: Connection) -> None:
    use(connection, "2.00", "2026-03-05")
    assert run_invoices(connection).carried == [ORG]
    delete(connection, "2026-04-20T10:00:00+02:00")
    assert len(run_invoices(connection, APRIL).numbers) == 1
    assert billed(connection) == [("2026-04", "2026-03-05", "llm_spend", Decimal("2.00"))]


def test_what_was_billed_before_is_billed_again_whatever_the_amount(database: Database, connection: Connection) -> None:
    use(connection, "2.00", "2026-03-05")
    run_invoices(connection)
    use(connection, "9.00", "2026-04-05")
    (number,) = run_invoices(connection, APRIL).numbers
    use(connection, "-8.50", "2026-04-06", corrects="2026-04-05 9.00")
    correction = correct_invoice(connection, number, "wrong usage")
    assert correction.invoice is not None
    assert in_all(connection) == Decimal("2.50")
    assert wrong(database) == []


def test_prices_and_terms_of_a_carried_month_are_fixed_once_it_is_billed(connection: Connection) -> None:
    use(connection, "2.00", "2026-03-05")
    run_invoices(connection)
    finalised = "SELECT month::text FROM pieced_finalised_months(%s) AS month ORDER BY 1"
    assert connection.execute(finalised, [ORG]).fetchall() == []
    use(connection, "20.00", "2026-04-05")
    (number,) = run_invoices(connection, APRIL).numbers
    for org in (ORG, None):
        assert connection.execute(finalised, [org]).fetchall() == [("2026-03-01",), ("2026-04-01",)]
    credit_invoice(connection, number, Wanted(), "wrong")
    for org in (ORG, None):
        assert connection.execute(finalised, [org]).fetchall() == []


def test_a_minimum_that_falls_lets_what_waited_go(connection: Connection) -> None:
    use(connection, "2.00", "2026-03-05")
    run_invoices(connection)
    set_minimum(connection, "0.00")
    assert len(run_invoices(connection).numbers) == 1
    assert billed(connection) == [("2026-03", "2026-03-05", "llm_spend", Decimal("2.00"))]
