"""No day of a tenant UID and dimension is billed twice, whatever writes the lines."""

from datetime import date

import psycopg
import pytest

from pieced_billing.invoicing.corrections import CannotCorrect, correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.store.connections import Connection
from tests.books import APRIL, MARCH, add_customers, add_tenant, run_invoices

LINE = (
    "INSERT INTO invoice_lines (invoice_id, position, tenant_name, tenant_uid, kind, package, service_from, service_to,"
    " quantity, unit, unit_price, vat_rate, amount, days, read_to)"
    " VALUES (900, %(position)s, 'a', %(uid)s, %(kind)s, %(package)s, %(month)s, %(month)s,"
    " 1, 'day', 1, 0, 1, %(days)s, 1000)"
)
BILL = (
    "INSERT INTO invoices (id, number, issuing_entity, series, zitadel_org_id, period_start, currency, vat_posture,"
    " language, issued_on, due_on, net, vat, gross, recipient, content, rules_version,"
    " stands_on, output_hash)"
    " VALUES (900, 'X', 'default', 'INV', 'thief', %s, 'CHF', 'standard', 'de', '2026-05-01', '2026-05-01', %s, 0, %s,"
    " '{}', '{}', '1', '{}', sha256(''))"
)
TENANT = "uid-of-tenant-of-org-0001"


def bill(connection: Connection, lines: list[tuple[str, str, str | None, int]], month: date = MARCH.first) -> None:
    """Write a bill of another organisation with these lines (UID, kind, package, days), and take it back."""
    with connection.transaction(force_rollback=True):
        write(connection, lines, month)


def write(connection: Connection, lines: list[tuple[str, str, str | None, int]], month: date) -> None:
    for position, line in enumerate(lines, start=1):
        named = dict(zip(("uid", "kind", "package", "days"), line, strict=True))
        connection.execute(LINE, {"position": position, "month": month, **named})
    connection.execute(BILL, [month, len(lines), len(lines)])


@pytest.mark.both_servers
def test_a_day_is_billed_once_for_a_tenant_and_a_dimension(connection: Connection) -> None:
    add_customers(connection, 1)
    add_tenant(connection, "org-0001", "other", enabled={"search": "2026-03-31T12:00:00+02:00"})
    run_invoices(connection)
    found = connection.execute("SELECT tenant_uid, period_start, days FROM billed_days ORDER BY tenant_uid").fetchall()
    month = 2**31 - 1
    assert found == [
        ("uid-of-other", MARCH.first, {
            "tenant_setup_fee": 1, "tenant_monthly_fee": month,
            "package_setup_fee search": 1 << 30, "package_days search": 1 << 30,
        }),
        (TENANT, MARCH.first, {"tenant_setup_fee": 1, "tenant_monthly_fee": month}),
    ]  # fmt: skip
    with pytest.raises(psycopg.errors.ExclusionViolation, match="a day would be billed twice: tenant_monthly_fee"):
        bill(connection, [(TENANT, "tenant_monthly_fee", None, 1 << 30)])
    with pytest.raises(psycopg.errors.ExclusionViolation, match="billed twice: package_days search"):
        bill(connection, [("uid-of-other", "package_days", "search", 3 << 29)])
    with pytest.raises(psycopg.errors.ExclusionViolation, match="billed twice: llm_spend"):
        bill(connection, [("new", "llm_spend", None, 6), ("new", "llm_spend", None, 12)])
    with pytest.raises(psycopg.errors.CheckViolation, match="invoice_lines_days"):
        bill(connection, [("new", "llm_spend", None, 0)])
    bill(connection, [("uid-of-other", "package_days", "search", 1 << 29), ("uid-of-other", "package_days", "s", 1)])
    bill(connection, [(TENANT, "tenant_monthly_fee", None, 1)], APRIL.first)


def test_what_was_billed_is_free_after_a_full_credit_and_not_before(connection: Connection) -> None:
    add_customers(connection, 1)
    (number,) = run_invoices(connection).numbers
    credit_invoice(connection, number, Wanted([2]), "goodwill")
    with pytest.raises(psycopg.errors.ExclusionViolation):
        bill(connection, [(TENANT, "tenant_monthly_fee", None, 1)])
    credit_invoice(connection, number, Wanted(), "wrong")
    bill(connection, [(TENANT, "tenant_monthly_fee", None, 1)])
    run_invoices(connection)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        bill(connection, [(TENANT, "tenant_monthly_fee", None, 1)])


def test_nobody_but_the_triggers_writes_what_is_billed(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM billed_days")


def test_an_organisation_whose_days_are_billed_already_is_parked_and_the_others_go_on(connection: Connection) -> None:
    add_customers(connection, 2)
    with connection.transaction():
        write(connection, [(TENANT, "tenant_monthly_fee", None, 1)], MARCH.first)
    outcome = run_invoices(connection)
    assert [(parked.org, parked.code) for parked in outcome.parked] == [("org-0001", "cannot_be_stored")]
    assert len(outcome.numbers) == 1


def test_a_correction_that_would_bill_a_day_of_another_bill_is_refused_and_nothing_credited(
    connection: Connection,
) -> None:
    add_customers(connection, 1)
    (number,) = run_invoices(connection).numbers
    with connection.transaction():
        line = {"position": 1, "uid": TENANT, "kind": "package_days", "package": "search", "days": 1 << 30}
        connection.execute(LINE, line | {"month": MARCH.first})
        connection.execute(BILL, [MARCH.first, 1, 1])
    connection.execute(
        "INSERT INTO tenant_skill_events"
        " (tenant_uid, tenant_name, zitadel_org_id, seq, skill_id, event_kind, occurred_at, quality, source)"
        " VALUES (%s, 'tenant-of-org-0001', 'org-0001', 2, 'search', 'enabled', '2026-03-31T10:00:00Z', 'exact', 'x')",
        [TENANT],
    )
    with pytest.raises(CannotCorrect, match=f"^{number} was not credited.* billed twice: package_days search"):
        correct_invoice(connection, number, "wrong")
    assert connection.execute("SELECT count(*) FROM invoices WHERE credits IS NOT NULL").fetchone() == (0,)


@pytest.mark.both_servers
def test_the_days_of_documents_are_read_from_their_lines_alone(connection: Connection) -> None:
    # While nothing of a run is committed the server expects rows of neither; joined, it read all lines for each bill.
    plan = connection.execute("EXPLAIN SELECT * FROM pieced_day_changes('{1,2}')").fetchall()
    named = {word for (line,) in plan for word in line.split() if word.startswith(("invoices", "invoice_lines"))}
    assert named & {"invoices", "invoices_pkey"} == set()
    assert "invoice_lines" in named
