"""Rules 6 to 9 under plain SQL: what an UPDATE, INSERT or DELETE of the tables that people edit records."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from pieced_billing.prices.book import statutory_rate
from pieced_billing.prices.load import load_prices
from pieced_billing.store.connections import Connection, connect
from tests.books import add_customers, organisation, run_invoices, set_organisations, set_prices
from tests.databases import Database

pytestmark = pytest.mark.both_servers

ZONES_AT_BOTH_ENDS = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # their dates always differ: 25 hours apart


def versions(connection: Connection, field: str | None = None) -> list[tuple[Any, ...]]:
    """Package, field, value and first day of each version, in the order of recording."""
    rows = connection.execute("SELECT package, field, value, valid_from FROM price_versions ORDER BY id")
    return [row for row in rows if field in (None, row[1])]


def today(connection: Connection) -> date:
    row = connection.execute("SELECT (clock_timestamp() AT TIME ZONE 'Europe/Zurich')::date").fetchone()
    assert row is not None
    found: date = row[0]
    return found


def test_the_seeded_row_is_as_the_seed_says_and_no_version(connection: Connection) -> None:
    row = connection.execute(
        "SELECT id, tenant_setup_fee_chf, tenant_monthly_fee_chf, threema_message_chf, vat_rate_chli"
        " FROM platform_pricing"
    ).fetchall()
    assert row == [(1, 0, 0, 0, Decimal("8.10"))]
    assert versions(connection) == []


def test_the_seeds_statements_run_as_written(connection: Connection) -> None:
    for _ in range(2):
        connection.execute("""
            UPDATE platform_pricing
            SET tenant_monthly_fee_chf = 49.00,
            tenant_setup_fee_chf = 99.00,
            threema_message_chf = 0.005
            WHERE id = 1;
        """)
        connection.execute("""
            INSERT INTO skill_pricing (skill_id, daily_price_chf)
            VALUES ('searxng-local-search', 0.10)
            ON CONFLICT (skill_id) DO UPDATE
            SET daily_price_chf = EXCLUDED.daily_price_chf;
        """)
    assert sorted(versions(connection), key=str) == sorted(
        [
            (None, "tenant_monthly_fee_chf", Decimal(49), None),
            (None, "tenant_setup_fee_chf", Decimal(99), None),
            (None, "threema_message_chf", Decimal("0.005"), None),
            ("searxng-local-search", "daily_price_chf", Decimal("0.1"), None),
            ("searxng-local-search", "setup_fee_chf", None, None),
        ],
        key=str,
    )


def test_rule_6_sql_and_python_agree_which_version_is_in_force(connection: Connection) -> None:
    choice = random.Random(6)
    dates = [date(2026, 1, 1) + timedelta(days=day) for day in range(12)]
    for _ in range(20):
        for field in ("tenant_setup_fee_chf", "tenant_monthly_fee_chf"):
            valid_from = choice.choice([None, *dates])
            insert = "INSERT INTO price_versions (field, value, valid_from) VALUES (%s, %s, %s)"
            connection.execute(insert, [field, choice.randrange(100), valid_from])
        book = load_prices(connection)
        for field, versions_of_field in book.platform.items():
            query = "SELECT pieced_price_on(NULL, %s, day) FROM unnest(%s::date[]) AS day"
            found = [row[0] for row in connection.execute(query, [field, dates])]
            assert found == [versions_of_field.on(day) for day in dates]


def test_rule_14_sql_and_python_agree_on_the_statutory_rate(connection: Connection) -> None:
    days = [date(2023, 12, 31), date(2024, 1, 1), date(2026, 3, 1)]
    rows = connection.execute("SELECT pieced_statutory_vat(day) FROM unnest(%s::date[]) AS day", [days])
    assert [row[0] for row in rows] == [statutory_rate(day) for day in days]


@pytest.mark.parametrize("zone", ZONES_AT_BOTH_ENDS)
def test_rule_7_a_later_change_is_in_force_from_the_day_in_the_billing_zone(connection: Connection, zone: str) -> None:
    connection.execute("UPDATE platform_pricing SET tenant_monthly_fee_chf = 49, tenant_setup_fee_chf = 99")
    connection.execute("SELECT set_config('TimeZone', %s, false)", [zone])
    connection.execute("UPDATE platform_pricing SET tenant_monthly_fee_chf = 59, tenant_setup_fee_chf = 99")
    assert versions(connection, "tenant_monthly_fee_chf") == [
        (None, "tenant_monthly_fee_chf", Decimal(49), None),
        (None, "tenant_monthly_fee_chf", Decimal(59), today(connection)),
    ]
    assert len(versions(connection, "tenant_setup_fee_chf")) == 1


def test_rule_7_the_day_is_cut_in_the_zone_that_the_database_was_set_up_with(database: Database) -> None:
    for number, zone in enumerate(ZONES_AT_BOTH_ENDS):
        before = datetime.now(ZoneInfo(zone)).date()
        with connect(database.owner_url) as owner:
            owner.execute("UPDATE billing_settings SET billing_zone = %s", [zone])
            owner.execute("UPDATE platform_pricing SET vat_rate_chli = vat_rate_chli + 1")
        with connect(database.url) as connection:
            recorded_on = versions(connection)[number][3]
        assert before <= recorded_on <= datetime.now(ZoneInfo(zone)).date()


def test_rule_7_a_vat_rate_never_holds_since_ever(connection: Connection) -> None:
    connection.execute("UPDATE platform_pricing SET vat_rate_chli = 8.5")
    assert versions(connection) == [(None, "vat_rate_chli", Decimal("8.5"), today(connection))]
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("INSERT INTO price_versions (field, value) VALUES ('vat_rate_chli', 8.5)")


def test_rule_7_only_the_first_row_of_a_package_holds_since_ever(connection: Connection) -> None:
    connection.execute("INSERT INTO skill_pricing (skill_id, daily_price_chf) VALUES ('search', 0.1)")
    connection.execute("UPDATE skill_pricing SET setup_fee_chf = 5")
    connection.execute("DELETE FROM skill_pricing")
    connection.execute("INSERT INTO skill_pricing (skill_id, daily_price_chf) VALUES ('search', 0.1)")
    day = today(connection)
    assert versions(connection) == [
        ("search", "daily_price_chf", Decimal("0.1"), None),
        ("search", "setup_fee_chf", None, None),
        ("search", "setup_fee_chf", Decimal(5), day),
        ("search", "daily_price_chf", None, day),
        ("search", "daily_price_chf", Decimal("0.1"), day),
    ]


def test_a_package_that_comes_back_shows_the_setup_fee_that_is_still_in_force(connection: Connection) -> None:
    connection.execute("INSERT INTO skill_pricing VALUES ('search', 0.1, 5)")
    connection.execute("DELETE FROM skill_pricing")
    connection.execute("INSERT INTO skill_pricing (skill_id, daily_price_chf) VALUES ('search', 0.1)")
    assert connection.execute("SELECT setup_fee_chf FROM skill_pricing").fetchall() == [(5,)]
    assert len(versions(connection, "setup_fee_chf")) == 1


def test_a_setup_fee_can_be_taken_away_by_an_upsert(connection: Connection) -> None:
    connection.execute("INSERT INTO skill_pricing VALUES ('search', 0.1, 5)")
    connection.execute(
        "INSERT INTO skill_pricing VALUES ('search', 0.1, NULL)"
        " ON CONFLICT (skill_id) DO UPDATE SET setup_fee_chf = EXCLUDED.setup_fee_chf"
    )
    assert versions(connection, "setup_fee_chf")[-1] == ("search", "setup_fee_chf", None, today(connection))


def test_rule_8_a_price_of_0_is_a_price(connection: Connection) -> None:
    connection.execute("INSERT INTO skill_pricing (skill_id, daily_price_chf) VALUES ('search', 0)")
    assert versions(connection, "daily_price_chf") == [("search", "daily_price_chf", 0, None)]


def test_a_change_back_on_the_same_day_is_recorded_last(connection: Connection) -> None:
    for fee in (49, 59, 49):
        connection.execute("UPDATE platform_pricing SET tenant_monthly_fee_chf = %s", [fee])
    assert [version[2] for version in versions(connection)] == [49, 59, 49]


def test_what_is_in_force_already_is_no_change(connection: Connection) -> None:
    """The table lags behind a price with a date until the next apply; setting it to that price changes nothing."""
    set_prices(connection, {"platform": [{"tenant_monthly_fee_chf": "49.00"}]})
    connection.execute(
        "INSERT INTO price_versions (field, value, valid_from) VALUES ('tenant_monthly_fee_chf', 59, '2026-01-01')"
    )
    connection.execute("UPDATE platform_pricing SET tenant_monthly_fee_chf = 59")
    assert len(versions(connection)) == 2


def test_rule_12_a_direct_update_rounds_to_the_columns_scale(connection: Connection) -> None:
    connection.execute("UPDATE platform_pricing SET tenant_monthly_fee_chf = 49.005, threema_message_chf = 0.0000051")
    assert [version[2] for version in versions(connection)] == [Decimal("49.01"), Decimal("0.00001")]


REFUSED_VALUES = ("'NaN'", "'Infinity'", "'-Infinity'", "-0.01")
PLATFORM_FIELDS = ("tenant_setup_fee_chf", "tenant_monthly_fee_chf", "threema_message_chf", "vat_rate_chli")


@pytest.mark.parametrize(
    "statements",
    [
        [
            f"UPDATE platform_pricing SET {field} = {value}"
            for field in PLATFORM_FIELDS
            for value in (*REFUSED_VALUES, "NULL")
        ],
        [
            f"INSERT INTO skill_pricing (skill_id, {column}) VALUES ('search', {value})"
            for column in ("daily_price_chf", "setup_fee_chf")
            for value in REFUSED_VALUES
        ],
        [
            f"INSERT INTO price_versions (field, value) VALUES ('tenant_setup_fee_chf', {value})"
            for value in (*REFUSED_VALUES, "NULL", "0.001")
        ],
    ],
    ids=["platform_pricing", "skill_pricing", "price_versions"],
)
def test_no_price_is_infinite_negative_or_finer_than_its_field(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        with pytest.raises((psycopg.IntegrityError, psycopg.DataError)):
            connection.execute(statement)
    assert versions(connection) == []


REWRITING = (
    "UPDATE price_versions SET value = 1",
    "DELETE FROM price_versions",
    "TRUNCATE price_versions",
    "UPDATE org_terms_versions SET value = 'DE'",
    "DELETE FROM org_terms_versions",
    "TRUNCATE org_terms_versions",
    "DELETE FROM platform_pricing",
    "TRUNCATE platform_pricing",
    "TRUNCATE skill_pricing",
    "DELETE FROM org_billing_config",
    "TRUNCATE org_billing_config CASCADE",
    "UPDATE org_billing_config SET zitadel_org_id = 'other'",
    "UPDATE skill_pricing SET skill_id = 'other'",
)


@pytest.mark.parametrize("role", ["application", "owner"])
def test_versions_cannot_be_rewritten_or_bypassed(database: Database, role: str) -> None:
    with connect(database.url) as application:
        set_prices(application)
        set_organisations(application, organisation("310001"))
    with connect(database.url if role == "application" else database.owner_url) as connection:
        connection.autocommit = True
        for statement in REWRITING:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


class TestOnceMarchIsFinalised:
    @pytest.fixture(autouse=True)
    def _finalised(self, connection: Connection) -> None:
        add_customers(connection, 1)
        assert len(run_invoices(connection).numbers) == 1

    def test_rule_7_a_first_value_holds_from_the_first_day_after(self, connection: Connection) -> None:
        connection.execute("UPDATE platform_pricing SET threema_message_chf = 0.005")
        connection.execute("INSERT INTO skill_pricing VALUES ('new', 0.2, 3)")
        april = date(2026, 4, 1)
        assert versions(connection)[-3:] == [
            (None, "threema_message_chf", Decimal("0.005"), april),
            ("new", "daily_price_chf", Decimal("0.2"), april),
            ("new", "setup_fee_chf", 3, april),
        ]

    def test_rule_9_a_finalised_day_is_not_altered(self, connection: Connection) -> None:
        insert = "INSERT INTO price_versions (field, value, valid_from) VALUES ('tenant_monthly_fee_chf', %s, %s)"
        for valid_from in (None, "2026-01-15", "2026-03-31"):
            with pytest.raises(psycopg.errors.CheckViolation, match=r"2026-03 is finalised.*from 2026-04-01 on"):
                connection.execute(insert, [99, valid_from])
            connection.execute(insert, [31, valid_from])

    def test_rule_9_days_before_and_after_may_change(self, connection: Connection) -> None:
        insert = "INSERT INTO price_versions (field, value, valid_from) VALUES ('tenant_monthly_fee_chf', %s, %s)"
        connection.execute(insert, [99, "2026-04-01"])
        connection.execute(insert, [31, "2026-03-01"])
        connection.execute(insert, [20, "2026-02-10"])

    def test_rule_9_the_statutory_rate_is_what_was_in_force(self, connection: Connection) -> None:
        insert = "INSERT INTO price_versions (field, value, valid_from) VALUES ('vat_rate_chli', %s, '2026-03-01')"
        connection.execute(insert, [8.1])
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(insert, [8.5])

    def test_rules_9_and_14_terms_are_finalised_for_the_organisation(self, connection: Connection) -> None:
        set_organisations(connection, organisation("other"))
        insert = "INSERT INTO org_terms_versions (zitadel_org_id, field, value) VALUES (%s, 'country', 'DE')"
        connection.execute(insert, ["other"])
        with pytest.raises(psycopg.errors.CheckViolation, match="2026-03 is finalised for organisation org-0001"):
            connection.execute(insert, ["org-0001"])


def test_rule_14_country_and_posture_have_versions_like_prices(connection: Connection) -> None:
    connection.execute("INSERT INTO org_billing_config (zitadel_org_id, country) VALUES ('310001', 'CH')")
    connection.execute("UPDATE org_billing_config SET vat_posture = 'export', name = 'Acme'")
    connection.execute("UPDATE org_billing_config SET name = 'Acme AG'")
    rows = connection.execute("SELECT field, value, valid_from FROM org_terms_versions ORDER BY id").fetchall()
    assert rows == [("country", "CH", None), ("vat_posture", None, None), ("vat_posture", "export", today(connection))]
