"""A file of prices, field by field: what of it is to be recorded (rules 6 to 9)."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.prices.book import VAT_RATE, PriceBook, statutory_rate
from pieced_billing.prices.changes import additions, later_start, refuse_finalised
from pieced_billing.prices.versions import Version


class VatRateWithoutDate(Refused):
    """A VAT rate in a file says from when it is in force (rule 7)."""

    code: ClassVar[str] = "vat_rate_without_date"

    def __init__(self) -> None:
        super().__init__(f"{VAT_RATE} needs `from`: a VAT rate never holds since ever.")


class PriceEntry(NamedTuple):
    """A value for one field of a package, or of the platform where `package` is None; without a date, since ever."""

    package: str | None
    name: str
    valid_from: date | None
    value: Decimal | None


def price_additions(book: PriceBook, entries: Sequence[PriceEntry], finalised: Collection[Month]) -> list[PriceEntry]:
    """What to record so that the book says what the entries of one file say; of one date in this order.

    `entries` are in the order of the file, `finalised` are the months finalised for any organisation. A first value
    without a date comes back with the date from which it holds. Raises `PeriodFinalised` or `VatRateWithoutDate`.
    """
    found: list[PriceEntry] = []
    for (package, name), values in _by_field(entries).items():
        recorded = book.versions(name, package)
        added = additions(recorded, values, finalised, is_first=_is_first(book, package, name))
        otherwise = statutory_rate if name == VAT_RATE else None
        refuse_finalised(field_label(package, name), recorded, added, finalised, otherwise)
        found.extend(PriceEntry(package, name, *version) for version in added)
    return found


def later_starts(book: PriceBook, entries: Sequence[PriceEntry], finalised: Collection[Month]) -> list[PriceEntry]:
    """The entries without a date that cannot hold since ever, with the date from which they hold (rules 7 and 9)."""
    found: list[PriceEntry] = []
    for (package, name), values in _by_field(entries).items():
        is_first = _is_first(book, package, name)
        start = later_start(book.versions(name, package), values, finalised, is_first=is_first)
        if start is not None:
            found.append(PriceEntry(package, name, start, dict(values)[None]))
    return found


def field_label(package: str | None, name: str) -> str:
    """What a field is called in messages."""
    return name if package is None else f"{name} of {package}"


def _by_field(entries: Sequence[PriceEntry]) -> dict[tuple[str | None, str], list[Version[Decimal]]]:
    by_field: dict[tuple[str | None, str], list[Version[Decimal]]] = {}
    for package, name, valid_from, value in entries:
        if name == VAT_RATE and valid_from is None:
            raise VatRateWithoutDate
        by_field.setdefault((package, name), []).append(Version(valid_from, value))
    return by_field


def _is_first(book: PriceBook, package: str | None, name: str) -> bool:
    """Whether a value would be the platform's first of this field, or of the package's first row ever (rule 7)."""
    if package is None:
        return not book.versions(name)
    return not any(book.packages.get(package, {}).values())
