"""Price versions in the database: read as a book, and appended to."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pieced_billing.prices.book import PriceBook
from pieced_billing.prices.entries import PriceEntry
from pieced_billing.prices.versions import Version, Versions
from pieced_billing.store.connections import Connection


def load_prices(connection: Connection) -> PriceBook:
    """Every version of every price."""
    return book_of(connection.execute("SELECT package, field, valid_from, value FROM price_versions ORDER BY id"))


def book_of(versions: Iterable[Sequence[Any]]) -> PriceBook:
    """The book of versions in the order in which they were recorded: package, field, valid from, value."""
    platform: dict[str, list[Version[Decimal]]] = {}
    packages: dict[str, dict[str, list[Version[Decimal]]]] = {}
    for package, field, valid_from, value in versions:
        fields = platform if package is None else packages.setdefault(package, {})
        fields.setdefault(field, []).append(Version(valid_from, value))
    return PriceBook(_frozen(platform), {package: _frozen(fields) for package, fields in packages.items()})


def save_prices(connection: Connection, additions: Iterable[PriceEntry]) -> None:
    """Append versions and show the prices of today in the tables that people edit.

    The latest date comes first: each day then changes its value at most once, and rule 9 can be judged row by row.
    """
    latest_first = sorted(additions, key=lambda entry: entry.valid_from or date.min, reverse=True)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO price_versions (package, field, valid_from, value) VALUES (%s, %s, %s, %s)",
            [(entry.package, entry.name, entry.valid_from, entry.value) for entry in latest_first],
        )
    _show_platform(connection)
    _show_packages(connection, sorted({entry.package for entry in latest_first if entry.package is not None}))


def _show_platform(connection: Connection) -> None:
    """Bring platform_pricing to what is in force today, which records nothing: no value changes by it."""
    connection.execute("""
        WITH today AS MATERIALIZED (SELECT
            coalesce(pieced_price_on(NULL, 'tenant_setup_fee_chf', day), tenant_setup_fee_chf) AS setup,
            coalesce(pieced_price_on(NULL, 'tenant_monthly_fee_chf', day), tenant_monthly_fee_chf) AS monthly,
            coalesce(pieced_price_on(NULL, 'threema_message_chf', day), threema_message_chf) AS message,
            coalesce(pieced_price_on(NULL, 'vat_rate_chli', day), vat_rate_chli) AS vat_rate
            FROM platform_pricing, pieced_today() AS day)
        UPDATE platform_pricing SET tenant_setup_fee_chf = setup, tenant_monthly_fee_chf = monthly,
            threema_message_chf = message, vat_rate_chli = vat_rate
        FROM today
        WHERE (tenant_setup_fee_chf, tenant_monthly_fee_chf, threema_message_chf, vat_rate_chli)
            IS DISTINCT FROM (setup, monthly, message, vat_rate)
    """)


def _show_packages(connection: Connection, added: list[str]) -> None:
    """Bring skill_pricing to what is in force today; a row that was deleted comes back with a price or a mention."""
    connection.execute(
        """
        WITH today AS MATERIALIZED (SELECT package,
            pieced_price_on(package, 'daily_price_chf', day) AS daily,
            pieced_price_on(package, 'setup_fee_chf', day) AS setup
            FROM (SELECT DISTINCT package FROM price_versions WHERE package IS NOT NULL) AS priced,
                pieced_today() AS day)
        INSERT INTO skill_pricing AS shown (skill_id, daily_price_chf, setup_fee_chf)
        SELECT package, daily, setup FROM today
        WHERE daily IS NOT NULL OR package = ANY(%s) OR EXISTS (SELECT FROM skill_pricing WHERE skill_id = package)
        ON CONFLICT (skill_id) DO UPDATE
            SET daily_price_chf = EXCLUDED.daily_price_chf, setup_fee_chf = EXCLUDED.setup_fee_chf
            WHERE (shown.daily_price_chf, shown.setup_fee_chf)
                IS DISTINCT FROM (EXCLUDED.daily_price_chf, EXCLUDED.setup_fee_chf)
        """,
        [added],
    )


def _frozen(fields: dict[str, list[Version[Decimal]]]) -> dict[str, Versions[Decimal]]:
    return {name: Versions(tuple(versions)) for name, versions in fields.items()}
