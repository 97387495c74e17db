"""How organisations stand with a month: who is parked now and why, and that somebody is told."""

import asyncio
import json

from prometheus_client import REGISTRY

from pieced_billing.invoicing.corrections import credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.outcomes import count_parked, standings
from pieced_billing.store.connections import Connection
from pieced_operator.ledger_metrics import tell_of_the_ledger
from pieced_operator.ledger_reader import LedgerReader
from tests.books import APRIL, MARCH, add_customers, add_tenant, organisation, run_invoices, set_organisations
from tests.commands import run_pieced
from tests.databases import Database


def stages(connection: Connection) -> dict[str, tuple[str, str | None]]:
    """By organisation its stage in March, and the code of its parking."""
    return {one.org: (one.stage, one.code) for one in standings(connection, MARCH)}


def logged(connection: Connection) -> list[tuple[str, str, str | None]]:
    return connection.execute("SELECT zitadel_org_id, status, code FROM invoice_run_outcomes ORDER BY id").fetchall()


def test_from_a_draft_to_finalised_and_back(connection: Connection) -> None:
    add_customers(connection, 1)
    add_tenant(connection, "unconfigured", "stray")
    add_tenant(connection, "later", "later", created_at="2026-04-10T00:00:00Z")
    parked = ("parked", "org_without_configuration")
    drafts = dict.fromkeys(("later", "org-0001", "unconfigured"), ("draft", None))
    assert stages(connection) == drafts
    run_invoices(connection, dry=True)
    assert stages(connection) == drafts
    (number,) = run_invoices(connection).numbers
    expected = {"later": ("empty", None), "org-0001": ("finalised", None), "unconfigured": parked}
    assert stages(connection) == expected
    run_invoices(connection)
    assert logged(connection) == [("later", "empty", None), ("unconfigured", *parked)]

    credit_invoice(connection, number, Wanted(), "wrong")
    connection.execute("UPDATE org_billing_config SET name = E'no\\nname'")
    run_invoices(connection)
    assert stages(connection)["org-0001"] == ("parked", "unfit_text")
    assert count_parked(connection) == 2
    connection.execute("UPDATE org_billing_config SET name = 'Acme'")
    set_organisations(connection, organisation("unconfigured"))
    assert len(run_invoices(connection).numbers) == 2
    assert stages(connection) == {**expected, "unconfigured": ("finalised", None)}
    assert count_parked(connection) == 0


def test_who_was_parked_and_has_nothing_to_bill_any_more_is_not_parked(connection: Connection) -> None:
    add_customers(connection, 1)
    connection.execute("UPDATE org_billing_config SET name = E'no\\nname'")
    run_invoices(connection)
    assert count_parked(connection) == 1
    connection.execute("UPDATE billing_settings SET billing_start = '2026-04-01'")
    run_invoices(connection)
    assert (count_parked(connection), stages(connection)) == (0, {"org-0001": ("empty", None)})
    assert [status for _, status, _ in logged(connection)] == ["parked", "empty"]


def test_what_comes_late_to_a_month_without_a_bill_waits_for_somebody_until_it_is_run_again(
    connection: Connection,
) -> None:
    add_customers(connection, 1)
    set_organisations(connection, organisation("idle"), organisation("late"))
    add_tenant(connection, "idle", "idle", created_at="2026-04-01T00:00:00+02:00")
    run_invoices(connection)
    assert stages(connection)["idle"] == ("empty", None)
    assert run_invoices(connection, APRIL).reopened == []
    connection.execute(
        "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)"
        " VALUES ('import', 'late', 'uid-of-idle', 'llm_spend', 7, '2026-03-31T10:00:00Z')"
    )
    add_tenant(connection, "late", "late")
    found = [(MARCH, "idle"), (MARCH, "late"), (APRIL, "late")]
    assert run_invoices(connection, APRIL.next, dry=True).reopened == found
    assert run_invoices(connection, APRIL.next).reopened == found
    waiting = dict.fromkeys(("idle", "late"), ("parked", "known_late"))
    assert stages(connection) == {"org-0001": ("finalised", None)} | waiting
    assert count_parked(connection) == 3
    assert len(run_invoices(connection).numbers) == 2
    assert len(run_invoices(connection, APRIL).numbers) == 1
    assert count_parked(connection) == 0


def test_the_operator_tells_of_it_and_the_command_says_why(database: Database, connection: Connection) -> None:
    add_customers(connection, 2)
    add_tenant(connection, "unconfigured", "stray")
    run_invoices(connection)
    asyncio.run(tell_of_the_ledger(LedgerReader(database.url, "a-cluster")))
    assert REGISTRY.get_sample_value("pieced_invoices_parked") == 1
    shown = run_pieced("invoice", "status", "--month", "2026-03", env=database.env()).stdout.splitlines()
    assert [line.split() for line in shown[2:8]] == [
        ["draft", "0"],
        ["parked", "1"],
        ["empty", "0"],
        ["carried", "0"],
        ["held", "0"],
        ["finalised", "2"],
    ]
    assert shown[-1].startswith("unconfigured   org_without_configuration   20")
    document = json.loads(
        run_pieced("invoice", "status", "--month", "2026-03", "-o", "json", env=database.env()).stdout
    )
    assert document["stages"] == {"finalised": 2, "parked": 1}
    assert document["organisations"][0]["number"].endswith("-000001")
    set_organisations(connection, organisation("unconfigured"))
    run_invoices(connection)
    asyncio.run(tell_of_the_ledger(LedgerReader(database.url, "a-cluster")))
    assert REGISTRY.get_sample_value("pieced_invoices_parked") == 0
