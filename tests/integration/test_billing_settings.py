"""What a finalised period rests on stays: the billing zone, which is the owner's alone, and the billing start."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing.billing_start import BillingStartFinalised, changed_month, set_billing_start
from pieced_billing.store.connections import Connection, connect
from tests.books import MARCH, add_customers, run_invoices
from tests.databases import Database

pytestmark = pytest.mark.both_servers

MAY = Month(2026, 5)


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with connect(database.owner_url) as opened:
        opened.autocommit = True
        yield opened


def test_the_application_may_set_the_billing_start_and_what_is_sealed(connection: Connection) -> None:
    for statement in (
        "UPDATE billing_settings SET billing_zone = 'UTC'",
        "UPDATE billing_settings SET id = 1",
        "UPDATE billing_settings SET database_id = gen_random_uuid()",
        "DELETE FROM billing_settings",
        "INSERT INTO billing_settings (id) VALUES (1)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(statement)
    connection.execute(
        "UPDATE billing_settings SET billing_start = '2026-03-10', numbers_sealed = true, ledger_sealed = true"
    )


def test_the_zone_changes_until_the_first_invoice_and_never_after_it(connection: Connection, owner: Connection) -> None:
    add_customers(connection, 1)
    owner.execute("UPDATE billing_settings SET billing_zone = 'Europe/Vienna'")
    run_invoices(connection)
    with pytest.raises(psycopg.errors.CheckViolation, match="2026-03 is finalised; another billing zone would change"):
        owner.execute("UPDATE billing_settings SET billing_zone = 'UTC'")
    owner.execute("UPDATE billing_settings SET billing_zone = 'Europe/Vienna'")
    for statement in ("DELETE FROM billing_settings", "TRUNCATE billing_settings"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="bills rest on what it says"):
            owner.execute(statement)


def test_rule_18_no_statement_and_no_command_moves_the_start_across_a_finalised_day(
    connection: Connection, owner: Connection
) -> None:
    add_customers(connection, 1)
    start = date(2026, 3, 10)
    set_billing_start(connection, start)
    for month in (MARCH, MAY):
        assert len(run_invoices(connection, month).numbers) == 1
    for day in (start, date(2026, 3, 9), date(2026, 3, 11), date(2026, 4, 1), date(2026, 6, 1), date(2026, 2, 1)):
        refused = day != start
        assert (changed_month(start, day, {MARCH, MAY}) is not None) == refused
        for way_in in (connection, owner):
            assert _is_refused(way_in, "UPDATE billing_settings SET billing_start = %s", day) == refused
        if refused:
            with pytest.raises(BillingStartFinalised, match="2026-03 is finalised"):
                set_billing_start(connection, day)
    assert _is_refused(connection, "UPDATE billing_settings SET billing_start = %s", None)


def test_rule_18_the_start_moves_where_no_finalised_day_is(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    for day in (date(2026, 3, 1), date(2026, 1, 1), None):
        assert not _is_refused(connection, "UPDATE billing_settings SET billing_start = %s", day)


def _is_refused(connection: Connection, statement: str, day: date | None) -> bool:
    try:
        connection.execute(statement, [day])
    except psycopg.errors.CheckViolation:
        return True
    return False
