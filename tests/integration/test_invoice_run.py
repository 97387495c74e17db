"""The invoice run on a real database: what becomes an invoice, what is parked, what is frozen."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing.corrections import credit_invoice
from pieced_billing.invoicing.credit import CannotCredit, Wanted
from pieced_billing.invoicing.load import UnknownOrganisation, drafts
from pieced_billing.invoicing.wish import PeriodNotOver, WrongIssueDate
from pieced_billing.store.connections import Connection, connect
from pieced_billing.store.settings import load_settings
from tests.books import (
    APRIL,
    MARCH,
    add_customers,
    add_tenant,
    first_numbers,
    numbers,
    organisation,
    run_invoices,
    set_organisations,
    set_prices,
)
from tests.databases import Database

pytestmark = pytest.mark.both_servers


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def test_an_invoice_freezes_the_draft_and_its_recipient(connection: Connection) -> None:
    set_prices(connection)
    set_organisations(connection, organisation("310001", language="fr"))
    add_tenant(connection, "310001", "acme", enabled={"search": "2026-03-30T12:00:00+02:00"})
    add_tenant(connection, "310001", "beta", usage=[("1.234567", "2026-03-02T10:00:00Z", None)])
    (draft,) = drafts(connection, MARCH, ["310001"])
    outcome = run_invoices(connection)
    assert len(outcome.numbers) == 1
    assert outcome.gross == draft.gross
    set_organisations(connection, organisation("310001", name="Renamed"))
    row = one(
        connection, "SELECT content, recipient ->> 'name', language, net, vat, gross, due_on - issued_on FROM invoices"
    )
    assert row == (draft.document(), "Customer 310001", "fr", draft.net, draft.gross - draft.net, draft.gross, 30)
    lines = connection.execute(
        "SELECT tenant_name, tenant_uid, kind, package, service_from, service_to, quantity, unit, unit_price, vat_rate,"
        " amount, days FROM invoice_lines ORDER BY position"
    ).fetchall()
    assert lines == [tuple(line) for line in draft.lines]


def test_rule_18_a_month_is_invoiced_when_it_is_over(connection: Connection) -> None:
    this_month = Month.of(load_settings(connection).today)
    with pytest.raises(
        PeriodNotOver, match=f"{this_month} is not over; it can be invoiced from {this_month.next.first} on"
    ):
        run_invoices(connection, this_month)
    with pytest.raises(psycopg.errors.CheckViolation, match="invoices_after_the_period"):
        connection.execute(
            "INSERT INTO invoices (number, issuing_entity, series, zitadel_org_id, period_start, currency, vat_posture,"
            " language, issued_on, due_on, net, vat, gross, recipient, content, rules_version, stands_on,"
            " output_hash)"
            " VALUES ('X', 'default', 'INV', '1', %(first)s, 'CHF', 'standard', 'de', %(last)s, %(last)s, 0, 0, 0,"
            " '{}', '{}', '1', '{}', sha256(''))",
            {"first": this_month.first, "last": this_month.last},
        )


def test_a_run_again_finds_nothing_to_do(connection: Connection) -> None:
    add_customers(connection, 3)
    expected = first_numbers(connection, 6)
    assert run_invoices(connection).numbers == expected[:3]
    again = run_invoices(connection)
    assert (again.numbers, again.invoiced_before, again.parked) == ([], 3, [])
    assert run_invoices(connection, APRIL).numbers == expected[3:]
    orgs = connection.execute("SELECT zitadel_org_id FROM invoices ORDER BY number").fetchall()
    assert orgs == [("org-0001",), ("org-0002",), ("org-0003",)] * 2


def test_a_run_for_one_organisation(connection: Connection) -> None:
    add_customers(connection, 3)
    assert len(run_invoices(connection, org="org-0002").numbers) == 1
    assert run_invoices(connection).invoiced_before == 1
    with pytest.raises(UnknownOrganisation):
        run_invoices(connection, org="unknown")


def test_rule_18_a_draft_without_lines_makes_no_invoice_and_takes_no_number(connection: Connection) -> None:
    add_customers(connection, 1)
    set_organisations(connection, organisation("later"), organisation("nobody"))
    add_tenant(connection, "later", "not-yet", created_at="2026-04-10T00:00:00Z")
    outcome = run_invoices(connection)
    assert (outcome.numbers, outcome.empty) == (first_numbers(connection, 1), 1)
    assert run_invoices(connection, org="nobody").numbers == []


def test_what_cannot_be_invoiced_is_parked_and_the_others_go_on(connection: Connection) -> None:
    add_customers(connection, 2)
    add_tenant(connection, "a-unconfigured", "stray")
    set_organisations(connection, organisation("c-too-much"))
    add_tenant(connection, "c-too-much", "spender", usage=[("99999999999", "2026-03-02T10:00:00Z", None)])
    for _ in range(2):
        outcome = run_invoices(connection)
        assert [(parked.org, parked.code) for parked in outcome.parked] == [
            ("a-unconfigured", "org_without_configuration"),
            ("c-too-much", "amount_too_large"),
        ]
    assert numbers(connection) == first_numbers(connection, 2)
    assert one(connection, "SELECT last_number FROM invoice_number_counters") == 2
    logged = connection.execute(
        "SELECT period_start, zitadel_org_id, code FROM invoice_run_outcomes ORDER BY 2"
    ).fetchall()
    assert logged == [(MARCH.first, parked.org, parked.code) for parked in outcome.parked]
    set_organisations(connection, organisation("a-unconfigured"))
    assert run_invoices(connection).numbers == first_numbers(connection, 3)[2:]


def test_rule_17_a_negative_draft_becomes_a_credit_note(connection: Connection) -> None:
    add_customers(connection, 1)
    set_organisations(connection, organisation("negative"))
    add_tenant(connection, "negative", "refunded", usage=[("-500", "2026-03-02T10:00:00Z", "earlier")])
    year = load_settings(connection).today.year
    assert run_invoices(connection).numbers == [f"CN-{year}-000001", f"INV-{year}-000001"]
    row = one(connection, "SELECT kind, credits, gross, due_on = issued_on FROM invoices WHERE kind <> 'invoice'")
    assert row == ("credit_note", None, Decimal("-399.97"), True)
    assert run_invoices(connection).invoiced_before == 2
    with pytest.raises(CannotCredit, match="which is never credited; what is wrong in the bill of a month comes right"):
        credit_invoice(connection, f"CN-{year}-000001", Wanted(), "wrong")
    add_usage = "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)"
    connection.execute(
        f"{add_usage} SELECT 'import', 'late', tenant_uid, 'llm_spend', 450, '2026-03-05T10:00:00Z'"
        " FROM tenant_billing_lifecycle WHERE zitadel_org_id = 'negative'"
    )
    run_invoices(connection, APRIL, org="negative", confirmed=True)
    put_right = one(
        connection,
        "SELECT amount, original.number FROM invoice_lines"
        " JOIN invoices AS original ON original.id = original_invoice_id WHERE adjusts = 'llm_spend'",
    )
    assert put_right == (Decimal("450.00"), f"CN-{year}-000001")


def test_an_amount_far_above_the_last_months_waits_for_a_confirmation(connection: Connection) -> None:
    add_customers(connection, 2)
    run_invoices(connection)
    assert run_invoices(connection, APRIL).parked == []
    may = Month(2026, 5)
    add_tenant(connection, "org-0001", "spender", usage=[("770", "2026-05-02T10:00:00Z", None)])
    (parked,) = run_invoices(connection, may).parked
    assert (parked.org, parked.code) == ("org-0001", "amount_unusual")
    assert "more than 10 times the mean of the last finalised months (CHF 87.02)" in parked.reason
    connection.execute("UPDATE billing_settings SET unusual_factor = 13")
    assert run_invoices(connection, may, org="org-0001", dry=True).parked == []
    connection.execute("UPDATE billing_settings SET unusual_factor = 10")
    assert len(run_invoices(connection, may, confirmed=True).numbers) == 1


def test_a_dry_run_does_everything_and_keeps_nothing(connection: Connection) -> None:
    add_customers(connection, 2)
    add_tenant(connection, "unconfigured", "stray")
    dry = run_invoices(connection, dry=True)
    counts = "SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM invoice_number_counters),"
    assert one(connection, counts + " (SELECT count(*) FROM invoice_run_outcomes)") == (0, 0, 0)
    wet = run_invoices(connection)
    assert (dry.numbers, dry.gross, dry.parked) == (wet.numbers, wet.gross, wet.parked)


def test_invoices_are_issued_on_a_day_after_their_month_and_not_in_the_future(connection: Connection) -> None:
    add_customers(connection, 1)
    issued_on = date(2026, 4, 3)
    for wrong in (MARCH.last, load_settings(connection).today + timedelta(days=1)):
        with pytest.raises(WrongIssueDate, match="can be issued from 2026-04-01 to "):
            run_invoices(connection, issued_on=wrong)
    assert run_invoices(connection, issued_on=issued_on).numbers == ["INV-2026-000001"]
    assert one(connection, "SELECT issued_on, due_on FROM invoices") == (issued_on, date(2026, 5, 3))


def test_an_automatic_run_is_for_who_wants_it(connection: Connection) -> None:
    add_customers(connection, 3)
    set_organisations(connection, organisation("org-0002", auto_invoice_enabled=True))
    assert len(run_invoices(connection, automatic=True).numbers) == 1
    assert one(connection, "SELECT zitadel_org_id FROM invoices") == "org-0002"
    assert run_invoices(connection, automatic=True, org="org-0001").numbers == []


def test_a_draft_that_raises_parks_its_organisation(connection: Connection) -> None:
    add_customers(connection, 1)
    set_organisations(connection, organisation("broken"))
    # More digits than exact arithmetic is set up for: the draft fails, not the database.
    add_tenant(connection, "broken", "absurd", usage=[("1" + "0" * 3000, "2026-03-02T10:00:00Z", None)])
    outcome = run_invoices(connection)
    assert outcome.numbers == first_numbers(connection, 1)
    (parked,) = outcome.parked
    assert (parked.org, parked.code) == ("broken", "draft_failed")


def test_lines_add_up_to_net_or_the_invoice_is_refused(connection: Connection) -> None:
    insert = (
        "INSERT INTO invoices (id, number, issuing_entity, series, zitadel_org_id, period_start, currency, vat_posture,"
        " language, issued_on, due_on, net, vat, gross, recipient, content, rules_version, stands_on,"
        " output_hash)"
        " VALUES (1, 'X', 'default', 'INV', '1', '2026-03-01', 'CHF', 'standard', 'de', '2026-04-01', '2026-05-01',"
        " %(net)s, 8.10, %(net)s + 8.10, '{}', '{}', '1', '{}', sha256(''))"
    )
    line = (
        "INSERT INTO invoice_lines VALUES"
        " (1, 1, 'acme', '6f1c', 'llm_spend', NULL, '2026-03-01', '2026-03-01', 100, 'CHF', 1, 8.1, 100, NULL, 1, 1)"
    )
    with connection.transaction(), pytest.raises(psycopg.errors.CheckViolation, match="do not add up"):
        _seal(connection, line, insert, Decimal("100.01"))
    with connection.transaction():
        _seal(connection, line, insert, Decimal(100))
    assert one(connection, "SELECT net FROM invoices") == 100


def _seal(connection: Connection, line: str, insert: str, net: Decimal) -> None:
    connection.execute(line)
    connection.execute(insert, {"net": net})


IMMUTABLE = {
    "invoices": "gross",
    "invoice_lines": "amount",
    "invoice_payments": "amount",
    "invoice_run_outcomes": "reason",
    "invoice_reminders": "level",
}


@pytest.mark.parametrize("role", ["application", "owner"])
def test_finalised_invoices_are_immutable(database: Database, role: str) -> None:
    with connect(database.url) as application:
        add_customers(application, 2)
        run_invoices(application)
        with application.transaction():
            application.execute(
                "INSERT INTO invoice_payments (invoice_id, paid_on, amount, reference) VALUES (1, '2026-04-02', 1, 'r')"
            )
    line = (
        "VALUES (1, %s, 'acme', '6f1c', 'llm_spend', NULL, '2026-03-01', '2026-03-01', 1, 'CHF', 1, 8.1, 0, NULL, 1, 1)"
    )
    with connect(database.url if role == "application" else database.owner_url) as connection:
        connection.autocommit = True
        for table, column in IMMUTABLE.items():
            for statement in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is finalised: no line can be added"):
            connection.execute("INSERT INTO invoice_lines " + line % 99)
        with pytest.raises(psycopg.errors.CheckViolation, match="only rises"):
            connection.execute("UPDATE invoice_number_counters SET last_number = 1")


def test_no_line_slips_in_while_its_invoice_is_being_sealed(database: Database, connection: Connection) -> None:
    """A line for an invoice that is not there yet waits; when the invoice is there, it is refused."""
    add_customers(connection, 1)
    line = (
        "INSERT INTO invoice_lines VALUES"
        " (1, 99, 'acme', '6f1c', 'llm_spend', NULL, '2026-03-01', '2026-03-01', 0, 'CHF', 1, 8.1, 0, NULL, 1, 1)"
    )
    with connect(database.url) as smuggler:
        smuggler.execute(line)
        with connect(database.url) as late:
            late.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                late.execute(line.replace("99", "98"))
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            smuggler.commit()
    run_invoices(connection)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(line)
