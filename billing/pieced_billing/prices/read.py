"""The file format of prices (billing-rules.md, interchange formats)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from pieced_billing.prices.book import PACKAGE_PLACES, PLATFORM_PLACES, VAT_RATE
from pieced_billing.prices.entries import PriceEntry
from pieced_billing.yaml_file import Value, parse

FROM: Final = "from"
_LARGEST_RATE: Final = Decimal(100)
_DIGITS: Final = 10
"""Digits of a price in the tables, decimals included."""


def read_prices(content: bytes, file: str) -> list[PriceEntry]:
    """The entries of a file in their order; BadFile with the line for whatever is wrong with one."""
    root = parse(content, file).mapping(("platform", "packages"))
    entries: list[PriceEntry] = []
    if "platform" in root:
        entries.extend(_entries(root["platform"], None, PLATFORM_PLACES))
    if "packages" in root and not root["packages"].is_null():
        for package, versions in root["packages"].mapping().items():
            entries.extend(_entries(versions, package, PACKAGE_PLACES))
    return entries


def _entries(versions: Value, package: str | None, places: Mapping[str, int]) -> Iterator[PriceEntry]:
    """The values of one list; each entry of it is one date."""
    if versions.is_null():
        return
    for entry in versions.sequence():
        fields = entry.mapping((FROM, *places))
        valid_from = fields.pop(FROM).date() if FROM in fields else None
        if not fields:
            raise entry.refused("has no price in it")
        for name, value in fields.items():
            if name == VAT_RATE and valid_from is None:
                raise value.refused("needs `from` beside it: a VAT rate never holds since ever")
            yield PriceEntry(package, name, valid_from, _price(value, package, name, places[name]))


def _price(value: Value, package: str | None, name: str, places: int) -> Decimal | None:
    if value.is_null():
        if package is None:
            raise value.refused("must be a number; 0 is free")
        return None
    return value.number(places, _LARGEST_RATE if name == VAT_RATE else _largest_price(places))


def _largest_price(places: int) -> Decimal:
    return Decimal(10**_DIGITS - 1).scaleb(-places)
