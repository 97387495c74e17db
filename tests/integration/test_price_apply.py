"""`pieced price apply` and `pieced org apply`: all or nothing, once, and never into a finalised day."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from pieced_billing.calendar import Month
from pieced_billing.parties.load import load_organisations
from pieced_billing.parties.show import organisation_entries
from pieced_billing.prices.changes import PeriodFinalised
from pieced_billing.prices.load import load_prices
from pieced_billing.store.connections import Connection
from pieced_billing.yaml_file import BadFile
from tests.books import MARCH, add_customers, organisation, run_invoices, set_organisations, set_prices
from tests.commands import run_pieced
from tests.databases import Database

pytestmark = pytest.mark.both_servers

EXAMPLE = """
platform:
  - {tenant_setup_fee_chf: 99.00, tenant_monthly_fee_chf: 49.90, threema_message_chf: 0.005}
  - {from: 2024-01-01, vat_rate_chli: 8.1}
  - {from: 2026-03-15, tenant_monthly_fee_chf: 59.90}
  - {from: 2999-01-01, tenant_monthly_fee_chf: 69.90}
packages:
  searxng-local-search:
    - {daily_price_chf: 0.10, setup_fee_chf: 5.00}
    - {from: 2026-03-20, daily_price_chf: null}
  telegram:
    - {from: 2026-05-01, daily_price_chf: 0.30}
"""


def version_count(connection: Connection) -> int:
    row = connection.execute("SELECT (SELECT count(*) FROM price_versions) + (SELECT count(*) FROM org_terms_versions)")
    found = row.fetchone()
    assert found is not None
    return int(found[0])


def test_a_file_of_prices_from_the_command_line(database: Database, connection: Connection, tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(EXAMPLE)
    recorded = run_pieced("price", "apply", "-f", str(file), env=database.env())
    assert "2026-03-15" in recorded.stdout
    book = load_prices(connection)
    fee = book.versions("tenant_monthly_fee_chf")
    assert [fee.on(date.fromisoformat(day)) for day in ("1999-01-01", "2026-03-14", "2026-03-15", "2999-01-01")] == [
        Decimal("49.90"),
        Decimal("49.90"),
        Decimal("59.90"),
        Decimal("69.90"),
    ]
    count = version_count(connection)
    again = run_pieced("price", "apply", "-f", "-", env=database.env(), stdin=EXAMPLE)
    assert again.stdout.startswith("Nothing to record")
    shown = run_pieced("price", "show", "-o", "yaml", env=database.env())
    file.write_text(shown.stdout)
    assert run_pieced("price", "apply", "-f", str(file), env=database.env()).stdout.startswith("Nothing to record")
    assert version_count(connection) == count


def test_the_editable_tables_show_the_prices_of_today(connection: Connection) -> None:
    connection.execute("UPDATE platform_pricing SET tenant_setup_fee_chf = 80")
    set_prices(
        connection,
        {
            "platform": [
                {"tenant_setup_fee_chf": "99", "tenant_monthly_fee_chf": "49.90"},
                {"from": "2026-03-15", "tenant_monthly_fee_chf": "59.90"},
                {"from": "2999-01-01", "tenant_monthly_fee_chf": "69.90", "vat_rate_chli": "9"},
            ],
            "packages": {
                "search": [
                    {"daily_price_chf": "0.10", "setup_fee_chf": "5"},
                    {"from": "2026-03-20", "daily_price_chf": None},
                ],
                "telegram": [{"from": "2026-05-01", "daily_price_chf": "0.30"}],
                "later": [{"from": "2999-01-01", "daily_price_chf": "1"}],
            },
        },
    )
    platform = (
        "SELECT tenant_setup_fee_chf, tenant_monthly_fee_chf, threema_message_chf, vat_rate_chli FROM platform_pricing"
    )
    assert connection.execute(platform).fetchall() == [(99, Decimal("59.90"), 0, Decimal("8.10"))]
    packages = "SELECT skill_id, daily_price_chf, setup_fee_chf FROM skill_pricing ORDER BY skill_id"
    assert connection.execute(packages).fetchall() == [
        ("later", None, None),
        ("search", None, 5),
        ("telegram", Decimal("0.30"), None),
    ]
    # 1 by the UPDATE, 5 of the platform and 5 of packages by the file: showing them recorded none
    assert version_count(connection) == 11


def test_a_deleted_package_does_not_come_back_by_what_a_file_says_of_another(connection: Connection) -> None:
    set_prices(connection, {"packages": {"search": [{"daily_price_chf": "0.10"}]}})
    connection.execute("DELETE FROM skill_pricing")
    set_prices(connection, {"packages": {"telegram": [{"daily_price_chf": "0.10"}]}})
    assert connection.execute("SELECT skill_id FROM skill_pricing").fetchall() == [("telegram",)]


def test_a_file_is_applied_as_a_whole_or_not_at_all(connection: Connection) -> None:
    with pytest.raises(BadFile):
        set_prices(connection, {"platform": [{"tenant_setup_fee_chf": "1"}, {"tenant_monthly_fee_chf": "1.005"}]})
    with pytest.raises(BadFile):
        set_organisations(connection, organisation("1"), organisation("2", language="rm"))
    assert version_count(connection) == 0
    assert load_organisations(connection) == {}


def test_rule_9_a_finalised_month_keeps_its_prices_and_terms(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    count = version_count(connection)
    with pytest.raises(PeriodFinalised, match=r"2026-03 is finalised; tenant_monthly_fee_chf .* from 2026-04-01 on"):
        set_prices(
            connection,
            {"platform": [{"from": "2026-05-01", "tenant_setup_fee_chf": "1"}, {"tenant_monthly_fee_chf": "32"}]},
        )
    with pytest.raises(PeriodFinalised, match=r"2026-03 is finalised; country .* from 2026-04-01 on"):
        set_organisations(connection, organisation("other"), organisation("org-0001", country="DE"))
    assert version_count(connection) == count
    added = set_prices(
        connection,
        {
            "platform": [
                {"from": "2026-01-01", "tenant_monthly_fee_chf": "20"},
                {"from": "2026-03-01", "tenant_monthly_fee_chf": "31"},
                {"from": "2026-04-01", "tenant_monthly_fee_chf": "40"},
            ],
            "packages": {"new": [{"daily_price_chf": "1"}]},
        },
    )
    assert [(entry.name, entry.valid_from) for entry in added][-1] == ("daily_price_chf", date(2026, 4, 1))
    set_organisations(
        connection, organisation("org-0001"), organisation("org-0001", **{"from": "2026-04-01", "country": "DE"})
    )


def test_rule_9_a_file_and_a_statement_are_refused_with_the_same_date(connection: Connection) -> None:
    add_customers(connection, 1)
    for month in (MARCH, Month(2026, 5)):
        run_invoices(connection, month)
    set_prices(connection, {"platform": [{"from": "2026-04-20", "tenant_monthly_fee_chf": "31"}]})
    insert = "INSERT INTO price_versions (field, value, valid_from) VALUES ('tenant_monthly_fee_chf', 32, %s)"
    for valid_from, earliest in (("2026-03-10", "2026-03 .* 2026-04-01"), ("2026-05-31", "2026-05 .* 2026-06-01")):
        with pytest.raises(psycopg.errors.CheckViolation, match=earliest):
            connection.execute(insert, [valid_from])
        with pytest.raises(PeriodFinalised, match=earliest):
            set_prices(connection, {"platform": [{"from": valid_from, "tenant_monthly_fee_chf": "32"}]})


def test_rule_9_a_price_that_cannot_hold_since_ever_says_from_when_it_does(
    database: Database, connection: Connection
) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    for said in ("0.005", "Nothing to record"):
        applied = run_pieced(
            "price", "apply", "-f", "-", env=database.env(), stdin="platform: [{threema_message_chf: 0.005}]"
        )
        assert said in applied.stdout
        assert applied.stderr == (
            "pieced: threema_message_chf holds from 2026-04-01 on, not since ever: the month before is finalised.\n"
        )


def test_a_file_of_organisations_from_the_command_line(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "orgs.yaml"
    file.write_text('orgs: [{org: "310001", name: Acme, country: CH, email: a@acme.example}, {org: b, country: DE}]')
    applied = run_pieced("org", "apply", "-f", str(file), env=database.env())
    assert "Name or town is missing of 310001, b; an invoice names its recipient" in applied.stderr
    again = run_pieced("org", "apply", "-f", str(file), env=database.env())
    assert (again.stdout.startswith("Nothing to record"), again.stderr) == (True, "")
    file.write_text('orgs: [{org: "310001", name: Acme, country: CH}]')
    run_pieced("org", "apply", "-f", str(file), env=database.env())
    shown = run_pieced("org", "show", "-o", "yaml", env=database.env()).stdout
    assert "email: null" in shown
    assert "org: b" in shown, "what a file does not name stays"
    unknown = run_pieced("org", "show", "c", env=database.env(), check=False)
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("latest_first", [False, True])
def test_the_entry_in_force_today_describes_the_organisation(connection: Connection, latest_first: bool) -> None:
    entries = [
        organisation("310001", name="Old", town=None),
        organisation("310001", **{"from": "2026-01-01", "name": "Now", "country": "DE"}),
        organisation("310001", **{"from": "2999-01-01", "name": "Later", "country": "FR"}),
    ]
    set_organisations(connection, *(entries[::-1] if latest_first else entries))
    query = "SELECT name, town, country FROM org_billing_config"
    assert connection.execute(query).fetchall() == [("Now", "Zürich", "DE")]
    shown = organisation_entries(connection)
    assert [entry["country"] for entry in shown] == ["CH", "DE", "FR"]
    assert not set_organisations(connection, *shown[::-1]), "what is shown says what is recorded"


def test_mistakes_on_the_command_line(database: Database, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("platform: 5")
    for arguments, status in (
        (("price", "apply", "-f", str(bad)), 1),
        (("price", "apply", "-f", str(tmp_path / "missing.yaml")), 2),
        (("price", "apply", "-f", str(tmp_path)), 2),
        (("price", "show", "--at", "2026-02-30"), 2),
        (("org", "apply", "-f", str(bad)), 1),
    ):
        done = run_pieced(*arguments, env=database.env(), check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
        assert done.stderr.startswith("pieced: ")
