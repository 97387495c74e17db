"""`pieced invoice` from the command line, with the example of the rules of a bill."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from pieced_billing.store.connections import connect
from pieced_billing.store.settings import load_settings
from tests.commands import run_pieced
from tests.databases import Database
from tests.ledger_lines import created, deleted, disabled, enabled, resumed, sent, spent, suspended

SEARCH = "searxng-local-search"
PRICES = {
    "platform": [
        {"tenant_setup_fee_chf": "99.00", "tenant_monthly_fee_chf": "49.90", "threema_message_chf": "0.005"},
        {"from": "2024-01-01", "vat_rate_chli": "8.1"},
        {"from": "2026-03-15", "tenant_monthly_fee_chf": "59.90"},
    ],
    "packages": {
        SEARCH: [{"daily_price_chf": "0.10", "setup_fee_chf": "5.00"}, {"from": "2026-03-20", "daily_price_chf": None}]
    },
}
HISTORY = [
    created("2026-03-01T09:00:00Z"),
    enabled("2026-03-01T09:00:00Z", SEARCH),
    disabled("2026-03-09T17:30:00.250000Z", SEARCH),
    suspended("2026-03-10T00:00:00+01:00"),
    resumed("2026-03-12T08:00:00Z"),
    deleted("2026-03-20T12:00:00Z"),
    spent("1.234567", "2026-03-02T10:00:00Z"),
    sent("1", "2026-03-02T09:00:00Z"),
    sent("6", "2026-03-02T10:00:00Z"),
    sent("5", "2026-03-02T11:00:00Z"),
    created("2026-02-10T00:00:00Z", uid="b", tenant="beta", org="20"),
    created("2026-04-10T00:00:00Z", uid="c", tenant="gamma", org="3"),
]
Invoice = Callable[..., CompletedProcess[str]]


@pytest.fixture
def invoice(database: Database, tmp_path: Path) -> Invoice:
    """`pieced invoice …` on a database with the example's prices, organisation and history."""
    env = database.env()
    prices, orgs = tmp_path / "prices.yaml", tmp_path / "orgs.yaml"
    prices.write_text(yaml.safe_dump(PRICES))
    orgs.write_text('orgs: [{org: "310001", name: Acme AG, country: CH, street: Bahnhofstrasse, town: Zürich}]')
    run_pieced("price", "apply", "-f", str(prices), env=env)
    run_pieced("org", "apply", "-f", str(orgs), env=env)
    run_pieced("ledger", "import", "-", env=env, stdin="".join(f"{json.dumps(line)}\n" for line in HISTORY))

    def run(*arguments: str, check: bool = True) -> CompletedProcess[str]:
        return run_pieced("invoice", *arguments, env=env, check=check)

    return run


def test_the_draft_of_the_example(invoice: Invoice) -> None:
    document = json.loads(invoice("draft", "--month", "2026-03", "--org", "310001", "-o", "json").stdout)
    assert [
        (
            line["kind"],
            line["service_from"][8:],
            line["service_to"][8:],
            line["quantity"],
            line["unit_price"],
            line["amount"],
        )
        for line in document["lines"]
    ] == [
        ("tenant_setup_fee", "01", "01", "1", "99.00", "99.00"),
        ("tenant_monthly_fee", "01", "14", "12", "49.90", "19.32"),
        ("tenant_monthly_fee", "15", "20", "6", "59.90", "11.59"),
        ("package_setup_fee", "01", "01", "1", "5.00", "5.00"),
        ("package_days", "01", "09", "9", "0.10", "0.90"),
        ("llm_spend", "02", "02", "1.234567", "1.00", "1.23"),
        ("threema_messages", "02", "02", "12", "0.005", "0.06"),
    ]
    assert (document["net"], document["vat"], document["gross"]) == (
        "137.10",
        [{"rate": "8.1", "net": "137.10", "amount": "11.11"}],
        "148.21",
    )
    assert yaml.safe_load(invoice("draft", "--month", "2026-03", "--org", "310001", "-o", "yaml").stdout) == document
    page = invoice("draft", "--month", "2026-03", "--org", "310001").stdout
    assert "VAT on 137.10" in page
    assert "148.21" in page


def test_rule_16_a_draft_stops_the_clock(invoice: Invoice) -> None:
    arguments = ("draft", "--month", "2026-03", "--org", "310001", "-o", "json", "--as-of")
    early = json.loads(invoice(*arguments, "2026-03-02T10:59:59.999999+01:00").stdout)
    assert [(line["kind"], line["quantity"]) for line in early["lines"]] == [
        ("tenant_setup_fee", "1"),
        ("tenant_monthly_fee", "2"),
        ("package_setup_fee", "1"),
        ("package_days", "2"),
        ("threema_messages", "1"),
    ]
    later = json.loads(invoice(*arguments, "2026-03-02T10:00:00Z").stdout)
    assert [(line["kind"], line["quantity"]) for line in later["lines"][-2:]] == [
        ("llm_spend", "1.234567"),
        ("threema_messages", "7"),
    ]


def test_drafts_of_all_organisations_one_on_a_line(invoice: Invoice) -> None:
    lines = invoice("draft", "--month", "2026-03", "--all", "-o", "json").stdout.splitlines()
    drafts = [json.loads(line) for line in lines]
    assert [(draft["org"], draft["gross"]) for draft in drafts] == [
        ("20", "59.88"),
        ("3", "0.00"),
        ("310001", "148.21"),
    ]
    assert drafts[0]["warnings"][0]["code"] == "org_without_configuration"
    assert (drafts[1]["lines"], drafts[1]["vat"]) == ([], [])


def test_from_the_run_to_the_payment(invoice: Invoice, database: Database) -> None:
    with connect(database.url) as connection:
        today = load_settings(connection).today
    ran = json.loads(invoice("run", "--month", "2026-03", "-o", "json").stdout)
    number = f"INV-{today.year}-000001"
    assert ran == {
        "period": "2026-03",
        "dry_run": False,
        "finalised": 1,
        "gross": "148.21",
        "numbers": [{"issuer": "default", "series": "INV", "count": 1, "first": number, "last": number}],
        "invoiced_before": 0,
        "empty": 1,
        "carried": 0,
        "held": 0,
        "parked": [
            {
                "org": "20",
                "code": "org_without_configuration",
                "reason": "Organisation 20 has no configuration; give its name and country with `pieced org apply`.",
            }
        ],
        "reopened": [],
        "lost_numbers": [],
    }
    again = invoice("run", "--month", "2026-03").stdout
    assert again.startswith("0 invoices finalised for 2026-03; 1 organisation invoiced before")
    pay = ("pay", number, "--on", today.isoformat(), "--amount")
    assert "CHF 100.00 is open" in invoice(*pay, "48.21", "--reference", "r1").stdout
    assert "Nothing to record" in invoice(*pay, "48.210"[:-1], "--reference", "r1").stdout
    assert "is paid" in invoice(*pay, "100", "--reference", "r2").stdout
    assert "CHF 0.79 too much" in invoice(*pay, "0.79", "--reference", "r3").stdout
    shown = json.loads(invoice("show", number, "-o", "json").stdout)
    draft = json.loads(invoice("draft", "--month", "2026-03", "--org", "310001", "-o", "json").stdout)
    assert {name: shown[name] for name in draft} == draft
    assert (shown["status"], shown["paid"], shown["due_on"]) == (
        "overpaid",
        "149.00",
        (today + timedelta(days=30)).isoformat(),
    )
    assert [payment["reference"] for payment in shown["payments"]] == ["r1", "r2", "r3"]
    assert "Bahnhofstrasse, CH Zürich" in invoice("show", number).stdout
    (listed,) = json.loads(invoice("list", "--status", "overpaid", "-o", "json").stdout)
    assert (listed["number"], listed["open"]) == (number, "0.00")
    assert json.loads(invoice("list", "--month", "2026-04", "-o", "json").stdout) == []


def test_reading_never_writes(invoice: Invoice, database: Database) -> None:
    """Every command that shows something, in sessions in which the server refuses to write."""
    number = json.loads(invoice("run", "--month", "2026-03", "-o", "json").stdout)["numbers"][0]["first"]
    options = "options=-c%20default_transaction_read_only%3Don&target_session_attrs=any"
    read_only = {"DATABASE_URL": f"{database.url}?{options}"}
    refused = run_pieced("invoice", "run", "--month", "2026-04", env=read_only, check=False)
    assert refused.returncode != 0
    for arguments in (
        ("price", "show"),
        ("org", "show"),
        ("invoice", "draft", "--month", "2026-03", "--all"),
        ("invoice", "list"),
        ("invoice", "show", number),
    ):
        run_pieced(*arguments, env=read_only)


def test_mistakes(invoice: Invoice, database: Database) -> None:
    invoice("run", "--month", "2026-03")
    with connect(database.url) as connection:
        today = load_settings(connection).today
        connection.execute(
            "INSERT INTO invoice_payments (invoice_id, paid_on, amount, reference)"
            " SELECT id, issued_on, 1, 'r1' FROM invoices"
        )
    number = f"INV-{today.year}-000001"
    tomorrow = (today + timedelta(days=1)).isoformat()
    pay = ("pay", number, "--reference", "r1", "--on", today.isoformat(), "--amount")
    for arguments, status, said in (
        (("draft", "--month", "2026-13", "--all"), 2, "is not a month from 1970-01 to 9998-12, such as 2026-03."),
        (("draft", "--month", "1900-01", "--all"), 2, "is not a month from 1970-01 to 9998-12, such as 2026-03."),
        (("draft", "--month", "2026-03"), 2, "--org ORG or --all"),
        (("draft", "--month", "2026-03", "--all", "--org", "1"), 2, "--org ORG or --all"),
        (("draft", "--month", "2026-03", "--org", "unknown"), 1, "no tenant in the ledger and no configuration"),
        (("draft", "--month", "2026-03", "--all", "--as-of", "2026-03-01T00:00:00"), 2, "an instant with an offset"),
        (
            ("draft", "--month", "2026-03", "--all", "--as-of", "0001-01-01T00:00:00+14:00"),
            2,
            "an instant with an offset",
        ),
        (
            ("draft", "--month", "2026-03", "--all", "--as-of", "2026-03-01T00:00:00.0000001Z"),
            2,
            "an instant with an offset",
        ),
        (("run", "--month", f"{today:%Y-%m}"), 1, "is not over"),
        (("run",), 2, "--month YYYY-MM says which month"),
        (("run", "--month", "2026-03", "--org", "unknown"), 1, "no tenant in the ledger and no configuration"),
        (("show", "INV-1"), 1, "There is no invoice 'INV-1'"),
        (("pay", "INV-1", "--on", today.isoformat(), "--amount", "1", "--reference", "x"), 1, "There is no invoice"),
        ((*pay, "0.00"), 1, "more than CHF 0.00"),
        ((*pay, "1.001"), 2, "an amount in CHF with at most two decimals"),
        ((*pay, "-1"), 2, "an amount in CHF"),
        ((*pay, "2"), 1, f"Reference 'r1' is CHF 1.00 on {today} for {number} already"),
        (("pay", number, "--reference", "r2", "--on", tomorrow, "--amount", "1"), 1, "is in the future"),
        (("pay", number, "--reference", " ", "--on", today.isoformat(), "--amount", "1"), 2, "--reference must be"),
        (("list", "--status", "lost"), 2, "lost"),
    ):
        done = invoice(*arguments, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
        assert said in done.stderr
