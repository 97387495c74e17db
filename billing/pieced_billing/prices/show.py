"""`pieced price show`: the price book in the format that `pieced price apply` reads."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pieced_billing.money import number_text, price_text
from pieced_billing.prices.book import PACKAGE_PLACES, PLATFORM_PLACES, VAT_RATE, PriceBook
from pieced_billing.prices.entries import PriceEntry
from pieced_billing.prices.versions import Version, Versions


def price_entries(book: PriceBook, at: date | None = None) -> Iterator[PriceEntry]:
    """Every version that decides a date, by package, field and date; with `at` only those in force on that day."""
    for package in (None, *sorted(book.packages)):
        for name in PLATFORM_PLACES if package is None else PACKAGE_PLACES:
            for version in _deciding(book.versions(name, package), at):
                yield PriceEntry(package, name, *version)


def price_document(entries: Iterable[PriceEntry]) -> dict[str, Any]:
    """Entries in the file format: an entry per date, numbers as text."""
    platform: list[dict[str, Any]] = []
    packages: dict[str, list[dict[str, Any]]] = {}
    for package, name, valid_from, value in entries:
        versions = platform if package is None else packages.setdefault(package, [])
        _entry_of(versions, valid_from)[name] = value_text(name, value)
    for versions in (platform, *packages.values()):
        versions.sort(key=lambda entry: entry.get("from", ""))
    return {"platform": platform, "packages": packages}


def value_text(name: str, value: Decimal | None) -> str | None:
    """A price or a VAT rate as the interchange formats write it."""
    if value is None:
        return None
    return number_text(value) if name == VAT_RATE else price_text(value)


def _deciding(versions: Versions[Decimal], at: date | None) -> list[Version[Decimal]]:
    by_date: Mapping[date, Version[Decimal]] = {
        version.valid_from or date.min: version for version in versions.recorded
    }
    ordered = [by_date[start] for start in sorted(by_date)]
    if at is None:
        return ordered
    return [version for version in ordered if version.valid_from is None or version.valid_from <= at][-1:]


def _entry_of(entries: list[dict[str, Any]], valid_from: date | None) -> dict[str, Any]:
    start = {} if valid_from is None else {"from": valid_from.isoformat()}
    for entry in entries:
        if entry.get("from") == start.get("from"):
            return entry
    entries.append(start)
    return start
