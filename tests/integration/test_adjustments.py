"""Rule 17 on a real database: what comes late is on the next bill, once, and what is finalised stays as it is."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing.corrections import correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.late import late
from pieced_billing.invoicing.load import drafts
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from tests.books import APRIL, MARCH, add_customers, add_tenant, run_invoices
from tests.chained import bring, line, usage
from tests.latecomers import MAY, ORG, TENANT, enable, use


def adjusted(connection: Connection, month: Month) -> list[tuple[Any, ...]]:
    """What the draft of a month puts right: period, charge, original line, billed, correct, amount."""
    (drafted,) = drafts(connection, month, [ORG])
    lines: Any = drafted.document()["lines"]
    keys = ("original_period", "adjusts", "original_line", "billed", "correct", "amount")
    return [tuple(line[key] for key in keys) for line in lines if line["kind"] == "adjustment"]


@pytest.mark.both_servers
def test_rule_17_late_events_and_usage_are_adjusted_on_the_next_bill_and_only_there(connection: Connection) -> None:
    add_customers(connection, 2)
    use(connection, "10", "2026-03-05T10:00:00Z")
    first = run_invoices(connection).numbers[0]
    frozen = connection.execute("SELECT * FROM invoices ORDER BY id").fetchall()
    assert adjusted(connection, APRIL) == []
    enable(connection, "enabled", "2026-03-30T10:00:00Z", 2)
    use(connection, "2.50", "2026-03-05T11:00:00Z")
    right = [
        ("2026-03", "llm_spend", 3, "10.00", "12.50", "2.50"),
        ("2026-03", "package_setup_fee", None, "0.00", "5.00", "5.00"),
        ("2026-03", "package_days", None, "0.00", "0.20", "0.20"),
    ]
    assert sorted(adjusted(connection, APRIL)) == sorted(right)
    (recomputed,) = drafts(connection, MARCH, [ORG])
    assert recomputed.net == Decimal("147.70")
    outcome = run_invoices(connection, APRIL)
    assert (len(outcome.numbers), outcome.parked) == (2, [])
    assert connection.execute("SELECT * FROM invoices ORDER BY id LIMIT 2").fetchall() == frozen
    stored = connection.execute(
        "SELECT kind, adjusts, original_invoice_id, original_position, quantity, days, returned_days"
        " FROM invoice_lines WHERE adjusts = 'llm_spend'"
    ).fetchone()
    assert stored == ("adjustment", "llm_spend", 1, 3, Decimal("2.50"), 0, 0)
    assert first == connection.execute("SELECT number FROM invoices WHERE id = 1").fetchone()[0]  # type: ignore[index]
    assert adjusted(connection, MAY) == []
    assert run_invoices(connection, MAY).parked == []
    assert connection.execute("SELECT count(*) FROM invoice_lines WHERE adjusts IS NOT NULL").fetchone() == (3,)


def test_rule_17_what_is_taken_back_beyond_the_bill_makes_it_a_credit_note(connection: Connection) -> None:
    add_customers(connection, 1)
    use(connection, "500", "2026-03-05T10:00:00Z")
    run_invoices(connection)
    use(connection, "-400", "2026-03-05T10:00:00Z", corrects="2026-03-05T10:00:00Z 500")
    assert adjusted(connection, APRIL) == [("2026-03", "llm_spend", 3, "500.00", "100.00", "-400.00")]
    year = load_settings(connection).today.year
    assert run_invoices(connection, APRIL).numbers == [f"CN-{year}-000001"]
    assert adjusted(connection, MAY) == []


def test_rule_17_an_adjustment_whose_bill_is_credited_is_due_again(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    enable(connection, "enabled", "2026-03-30T10:00:00Z", 2)
    (april,) = run_invoices(connection, APRIL).numbers
    right = adjusted(connection, MAY)
    assert right == []
    credit_invoice(connection, april, Wanted(), "wrong")
    assert [line[1] for line in adjusted(connection, APRIL)] == ["package_setup_fee", "package_days"]
    assert len(run_invoices(connection, APRIL).numbers) == 1
    assert adjusted(connection, MAY) == []


def test_rule_17_a_month_that_is_billed_again_takes_back_what_was_adjusted(connection: Connection) -> None:
    add_customers(connection, 1)
    (march,) = run_invoices(connection).numbers
    enable(connection, "enabled", "2026-03-30T10:00:00Z", 2)
    run_invoices(connection, APRIL)
    credit_invoice(connection, march, Wanted(), "wrong")
    taken_back = [line for line in adjusted(connection, MARCH) if line[1] == "package_days"]
    assert taken_back == [("2026-03", "package_days", None, "0.20", "0.00", "-0.20")]
    outcome = run_invoices(connection)
    assert (outcome.parked, len(outcome.numbers)) == ([], 1)
    days = connection.execute(
        "SELECT days -> 'package_days search' FROM billed_days WHERE period_start = %s", [MARCH.first]
    ).fetchone()
    assert days == (3 << 29,)
    assert adjusted(connection, MAY) == []


def test_rule_17_a_month_is_corrected_after_something_of_it_was_given_back(connection: Connection) -> None:
    add_customers(connection, 1)
    enable(connection, "enabled", "2026-03-01T10:00:00Z", 2)
    (march,) = run_invoices(connection).numbers
    enable(connection, "disabled", "2026-03-29T10:00:00Z", 3)
    assert adjusted(connection, APRIL) == [("2026-03", "package_days", 4, "3.10", "2.90", "-0.20")]
    run_invoices(connection, APRIL)
    credit_invoice(connection, march, Wanted(), "wrong")
    assert adjusted(connection, MARCH) == [("2026-03", "package_days", None, "-0.20", "0.00", "0.20")]
    assert run_invoices(connection).parked == []
    assert adjusted(connection, MAY) == []
    owed = connection.execute(
        "SELECT sum(amount) FROM invoice_lines WHERE package = 'search' AND unit = 'day'"
    ).fetchone()
    assert owed == (Decimal("2.90"),)


def test_rule_17_a_tenant_that_becomes_known_late(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    add_tenant(connection, ORG, "unseen", created_at="2026-03-20T00:00:00+01:00")
    assert [(line[1], line[2]) for line in adjusted(connection, APRIL)] == [
        ("tenant_setup_fee", None),
        ("tenant_monthly_fee", None),
    ]


def test_rule_17_a_month_is_billed_again_with_a_tenant_that_became_known_after_its_bill(connection: Connection) -> None:
    add_customers(connection, 1)
    (march,) = run_invoices(connection).numbers
    add_tenant(connection, ORG, "unseen", created_at="2026-03-20T00:00:00+01:00")
    run_invoices(connection, APRIL)
    correction = correct_invoice(connection, march, "wrong")
    owed = connection.execute(
        "SELECT sum(amount) FROM invoice_lines WHERE tenant_uid = 'uid-of-unseen' AND service_to < '2026-04-01'"
    ).fetchone()
    assert correction.invoice is not None
    assert owed == (Decimal("99.00") + 12,)
    assert adjusted(connection, MAY) == []


def test_usage_is_billed_again_by_nobody_who_has_not_read_further(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    read_to = connection.execute("SELECT read_to FROM billed_days").fetchone()
    assert read_to == connection.execute("SELECT length FROM ledger_chains").fetchone()
    line = (
        "INSERT INTO invoice_lines (invoice_id, position, tenant_name, tenant_uid, kind, service_from, service_to,"
        " quantity, unit, unit_price, vat_rate, amount, days, read_to, adjusts, adjusted_period, original_invoice_id)"
        " VALUES (900, 1, 'a', %s, 'adjustment', '2026-03-01', '2026-03-01', 1, 'CHF', 1, 0, 1, 0, %s,"
        " 'llm_spend', '2026-03-01', 1)"
    )
    bill = (
        "INSERT INTO invoices (id, number, issuing_entity, series, zitadel_org_id, period_start, currency, vat_posture,"
        " language, issued_on, due_on, net, vat, gross, recipient, content, rules_version, stands_on,"
        " output_hash)"
        " VALUES (900, 'X', 'default', 'INV', %s, '2026-04-01', 'CHF', 'standard', 'de', '2026-05-01', '2026-05-01',"
        " 1, 0, 1, '{}', '{}', '1', '{}', sha256(''))"
    )
    assert read_to is not None
    with connection.transaction(force_rollback=True):
        connection.execute(line, [TENANT, read_to[0]])
        with pytest.raises(psycopg.errors.ExclusionViolation, match="without having read further"):
            connection.execute(bill, [ORG])
    with connection.transaction(force_rollback=True):
        connection.execute(line, [TENANT, read_to[0] + 1])
        connection.execute(bill, [ORG])


def test_what_comes_late_and_changes_no_amount_is_looked_at_once(connection: Connection) -> None:
    add_customers(connection, 1)
    gone = add_tenant(connection, ORG, "gone")
    bring(connection, [line("deleted", gone, "20T10:00:00Z")])
    run_invoices(connection)
    bring(connection, [line("suspended", gone, "25T10:00:00Z")])  # after its end, which has no effect
    assert [one.uid for one in late(connection, [ORG])] == [gone]
    run_invoices(connection, APRIL, dry=True)
    assert [one.uid for one in late(connection, [ORG])] == [gone], "a dry run keeps nothing"
    assert len(run_invoices(connection, APRIL).numbers) == 1
    assert late(connection, [ORG]) == []
    bring(connection, [usage(gone, "late")])
    assert adjusted(connection, MAY) == [("2026-03", "llm_spend", None, "0.00", "2.50", "2.50")]
