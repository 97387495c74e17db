"""Prices edited by SQL and by file, in any order: what the tables show is what rating reads, and the past stays."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pieced_billing.prices.book import PACKAGE_PLACES, PLATFORM_PLACES, VAT_RATE, PriceBook
from pieced_billing.prices.load import load_prices
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from tests.books import set_prices

pytestmark = pytest.mark.both_servers

STEPS = 150
PACKAGES = ("search", "telegram")


@pytest.mark.parametrize("seed", range(2))
def test_random_edits(connection: Connection, seed: int) -> None:
    choice = random.Random(seed)
    today = load_settings(connection).today
    days = [today + timedelta(days=offset) for offset in (-400, -30, -1, 0, 1, 30)]
    for _ in range(STEPS):
        before = load_prices(connection)
        if choice.random() < 0.3:
            document = _file(choice, days)
            set_prices(connection, document)
            assert set_prices(connection, document) == [], document
        else:
            _edit(connection, choice)
            _assert_past_kept(before, load_prices(connection), today, days)
        _assert_shown(connection, load_prices(connection), today)


def _edit(connection: Connection, choice: random.Random) -> None:
    """One statement of somebody with psql."""
    package, value = choice.choice(PACKAGES), choice.choice([0, 1, 2])
    upsert = """INSERT INTO skill_pricing (skill_id, daily_price_chf) VALUES (%(package)s, %(value)s)
        ON CONFLICT (skill_id) DO UPDATE SET daily_price_chf = EXCLUDED.daily_price_chf"""
    statement = choice.choice(
        [
            f"UPDATE platform_pricing SET {choice.choice(list(PLATFORM_PLACES))} = %(value)s",
            f"UPDATE skill_pricing SET {choice.choice(list(PACKAGE_PLACES))} = %(value)s WHERE skill_id = %(package)s",
            "UPDATE skill_pricing SET setup_fee_chf = NULL WHERE skill_id = %(package)s",
            "DELETE FROM skill_pricing WHERE skill_id = %(package)s",
            upsert,
        ]
    )
    connection.execute(statement, {"package": package, "value": value})


def _file(choice: random.Random, days: list[date]) -> Mapping[str, Any]:
    """A file with one entry, of the platform or of a package."""
    valid_from = choice.choice([None, *days])
    start: dict[str, Any] = {} if valid_from is None else {"from": valid_from.isoformat()}
    value = choice.choice(["0", "1", "2"])
    if choice.random() < 0.5:
        names = [name for name in PLATFORM_PLACES if valid_from is not None or name != VAT_RATE]
        return {"platform": [start | {choice.choice(names): value}]}
    prices: dict[str, Any] = choice.choice(
        [{"daily_price_chf": value}, {"setup_fee_chf": value}, {"daily_price_chf": None}]
    )
    return {"packages": {choice.choice(PACKAGES): [start | prices]}}


def _assert_past_kept(before: PriceBook, after: PriceBook, today: date, days: list[date]) -> None:
    """A plain change alters no day before today, unless it is the first value ever (rule 7)."""
    for package in (None, *before.packages):
        for name in PLATFORM_PLACES if package is None else PACKAGE_PLACES:
            was, becomes = before.versions(name, package), after.versions(name, package)
            if was or package is not None:
                assert [was.on(day) for day in days if day < today] == [becomes.on(day) for day in days if day < today]


def _assert_shown(connection: Connection, book: PriceBook, today: date) -> None:
    """Every price in force today stands in the tables; a package that is not there has no daily price today."""
    platform = connection.execute(f"SELECT {', '.join(PLATFORM_PLACES)} FROM platform_pricing").fetchone()
    assert platform is not None
    for name, shown in zip(PLATFORM_PLACES, platform, strict=True):
        in_force = book.versions(name).on(today)
        assert in_force in (None, shown)
    rows = connection.execute("SELECT skill_id, daily_price_chf, setup_fee_chf FROM skill_pricing")
    shown_packages: Mapping[str, tuple[Decimal | None, Decimal | None]] = {row[0]: (row[1], row[2]) for row in rows}
    for package in book.packages:
        in_force_today = tuple(book.versions(name, package).on(today) for name in PACKAGE_PLACES)
        if package in shown_packages:
            assert shown_packages[package] == in_force_today
        else:
            assert in_force_today[0] is None
