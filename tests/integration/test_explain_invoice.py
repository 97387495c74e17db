"""`pieced explain NUMBER`: what was issued, from what was known then, and whether the ledger still says so."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from subprocess import CompletedProcess
from typing import Any

import psycopg
import pytest

from pieced_billing.explaining.invoice import explain_invoice
from pieced_billing.explaining.invoice_document import invoice_document
from pieced_billing.explaining.issued import UnknownLine
from pieced_billing.invoicing.corrections import credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.store.connections import Connection, connect
from pieced_cli.main import run
from tests.books import APRIL, add_customers, add_tenant, numbers, run_invoices, set_prices
from tests.chained import bring, line, usage
from tests.databases import Database

RunPieced = Callable[..., CompletedProcess[str]]
UID = "uid-of-tenant-of-org-0001"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        opened.autocommit = True
        add_customers(opened, 1)
        yield opened


def explained(connection: Connection, number: str, position: int | None = None) -> dict[str, Any]:
    return invoice_document(explain_invoice(connection, number, position))


def late_facts(connection: Connection) -> None:
    """After March is billed: a package was on from the 5th, all was suspended on the 20th, and something was used."""
    bring(connection, [line("enabled", UID, "05T10:00:00Z", package="search", generation=2, manager="argocd")])
    bring(connection, [line("suspended", UID, "20T10:00:00Z", quality="bounded", not_before="2026-03-20T09:00:00Z")])
    bring(connection, [usage(UID, "late")])


def test_a_line_is_explained_by_what_was_known_and_an_adjustment_by_what_arrived(connection: Connection) -> None:
    bring(connection, [usage(UID, "first", "10")])
    (march,) = run_invoices(connection).numbers
    late_facts(connection)
    fee = explained(connection, march, 2)["lines"][0]
    assert (fee["kind"], fee["formula"], len(fee["days"]), fee["differences"]) == (
        "tenant_monthly_fee",
        "31.00 × 31 ÷ 31",
        31,
        [],
    )
    assert [event["kind"] for event in fee["events"]] == ["created"]
    assert [event["kind"] for event in fee["later"]["events"]] == ["suspended"]
    (april,) = run_invoices(connection, APRIL).numbers
    document = explained(connection, april)
    assert document["differences"] == []
    adjusted = {one["adjusts"]: one for one in document["lines"]}
    assert [one["differences"] for one in adjusted.values()] == [[]] * 4
    assert adjusted["llm_spend"]["formula"] == "12.50 − 10.00"
    assert adjusted["llm_spend"]["billed_by"] == [{"invoice": march, "line": 3, "amount": "10.00"}]
    assert adjusted["llm_spend"]["arrived"]["usage"] == [
        {"meter": "llm_spend", "on": "2026-03-02", "source": "import", "records": 1, "quantity": "2.5"}
    ]
    (correct,) = adjusted["llm_spend"]["correct_lines"]
    assert [one["id"] for one in correct["largest"]] == ["first", "late"]
    assert [event["kind"] for event in adjusted["package_days"]["arrived"]["events"]] == ["enabled", "suspended"]
    (package,) = adjusted["package_days"]["correct_lines"]
    assert (len(package["days"]), len(package["other_days"]["suspended"])) == (16, 11)
    enabled = package["events"][1]
    assert (enabled["generation"], enabled["manager"]) == (2, "argocd")


def found_gap(connection: Connection, generation: int) -> None:
    """Somebody saw that versions of the tenant had gone by unseen, in March."""
    connection.execute(
        "INSERT INTO tenant_discontinuities (tenant_uid, tenant_name, reason, epoch, generation_before,"
        " generation_after, not_before, not_after, source)"
        " VALUES (%s, 'tenant', 'gap', 0, %s - 2, %s, '2026-03-05T10:00:00Z', '2026-03-05T11:00:00Z', 'sweep')",
        [UID, generation, generation],
    )


def test_a_gap_that_was_found_after_the_issue_was_not_known_then(
    connection: Connection, database: Database, run_pieced: RunPieced
) -> None:
    bring(connection, [usage(UID, "first", "10")])
    found_gap(connection, 3)
    (march,) = run_invoices(connection).numbers
    found_gap(connection, 7)
    fee = explained(connection, march, 2)["lines"][0]
    known, later = fee["discontinuities"], fee["later"]["discontinuities"]
    assert [[one["generation_after"] for one in of] for of in (known, later)] == [[3], [7]]
    spend = explained(connection, march, 3)["lines"][0]
    assert (spend["discontinuities"], spend["later"]["discontinuities"]) == ([], [])
    shown = run_pieced("explain", march, "--line", "2", env=database.env()).stdout
    assert "generations 5 to 7" not in shown.split("recorded after the issue, and not counted here:")[0]
    assert "generations 5 to 7 (gap)" in " ".join(shown.split())


def test_every_document_agrees_with_the_ledger_whatever_was_credited_and_billed_again(connection: Connection) -> None:
    add_tenant(connection, "org-0001", "other", usage=[("3", "2026-03-07T10:00:00Z", None)])
    (march,) = run_invoices(connection).numbers
    late_facts(connection)
    run_invoices(connection, APRIL)
    part = credit_invoice(connection, march, Wanted({2}, Decimal("10.00")), "goodwill")
    whole = credit_invoice(connection, march, Wanted(), "wrong price")
    prices = {"2026-03-01": "62.00", "2026-04-01": "31.00"}
    changes = [{"from": start, "tenant_monthly_fee_chf": price} for start, price in prices.items()]
    set_prices(connection, {"platform": changes})
    (again,) = run_invoices(connection).numbers
    documents = {number: explained(connection, number) for number in numbers(connection)}
    differing = {number: [one["differences"] for one in of["lines"]] for number, of in documents.items()}
    assert len(documents) == 5
    assert not any(any(of) for of in differing.values()), differing
    assert [of["differences"] for of in documents.values()] == [[]] * 5
    fees = {number: documents[number]["lines"][1]["price"]["value"] for number in (march, again)}
    assert fees == {march: "31.00", again: "62.00"}, "a price that was recorded later is none of the first bill's"
    credited = documents[part]["lines"][0]
    assert (credited["amount"], credited["left"], credited["original"]["invoice"]) == ("-10.00", "31.00", march)
    assert credited["original"]["formula"] == "31.00 × 31 ÷ 31"
    rest = {one["original"]["line"]: one["left"] for one in documents[whole]["lines"]}
    assert (rest[1], rest[2]) == ("99.00", "21.00")
    taken_back = [one for one in documents[again]["lines"] if one["kind"] == "adjustment"]
    assert len(taken_back) == 4
    assert all(one["taken_back"] and one["correct"] == "0.00" and one["correct_lines"] == [] for one in taken_back)


def test_what_was_changed_past_the_program_is_said_and_verify_is_named(
    connection: Connection, database: Database, run_pieced: RunPieced
) -> None:
    (march,) = run_invoices(connection).numbers
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE invoice_lines DISABLE TRIGGER USER")
        owner.execute("UPDATE invoice_lines SET amount = 30.00 WHERE position = 2")
    changed = explained(connection, march)
    assert [one["differences"] for one in changed["lines"]] == [
        [],
        ["amount is 30.00, the ledger gives 31.00", "amount is 30.00, the document says 31.00"],
    ]
    assert "net is 130.00, its parts add up to 129.00" in changed["differences"]
    shown = run_pieced("explain", march, "--line", "2", env=database.env()).stdout
    assert f"DIFFERS  amount is 30.00, the ledger gives 31.00; see `pieced verify\n             {march}`" in shown


def test_the_command_shows_a_line_or_all_within_80_columns(
    connection: Connection, database: Database, run_pieced: RunPieced
) -> None:
    late_facts(connection)
    (march,) = run_invoices(connection).numbers
    shown = run_pieced("explain", march, "--line", "4", env=database.env()).stdout
    for row in (
        "4: tenant-of-org-0001, package days: search   CHF 1.60 = 0.10 × 16\n",
        "  rounded  from 1.6, half away from zero to 0.01 (rule 12)\n",
        "            2 o  3 o  4 o  5 ■  6 ■  7 ■  8 ■   s suspended: 11\n",
        "           2: enabled search at 2026-03-05T11:00:00+01:00, exact, from import,\n",
        "             generation 2, by argocd\n",
    ):
        assert row in shown, shown
    whole = run_pieced("explain", march, env=database.env()).stdout
    assert "Total   CHF " in whole
    assert max(map(len, whole.splitlines())) <= 80
    document = json.loads(run_pieced("explain", march, "-o", "json", env=database.env()).stdout)
    assert document == explained(connection, march)
    with pytest.raises(UnknownLine, match=f"{march} has no line 9; its lines are 1 to 5"):
        explained(connection, march, 9)
    with pytest.raises(UnknownInvoice):
        explained(connection, "INV-1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Either NUMBER or --tenant TENANT says what is to be explained."),
        (("INV-1", "--tenant", "a"), "Either NUMBER or --tenant TENANT says what is to be explained."),
        (("--tenant", "a", "--line", "1"), "--line is a line of an invoice: it needs NUMBER."),
        (("INV-1", "--month", "2026-03"), "--month is a tenant's month: it needs --tenant TENANT."),
    ],
)
def test_what_is_to_be_explained_is_said_once(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments]) == 2
    assert capsys.readouterr() == ("", f"pieced: {said}\n")
