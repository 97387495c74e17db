"""Price versions with when and by whom they were recorded, as somebody who asks why needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from pieced_billing.ledger.export import instant_text
from pieced_billing.money import price_text
from pieced_billing.prices.book import PriceBook
from pieced_billing.prices.versions import Version, Versions


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """A price version with when and by whom it was recorded; `valid_from` is None where it holds since ever."""

    value: Decimal | None
    valid_from: date | None
    recorded_at: datetime
    recorded_by: str

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "value": None if self.value is None else price_text(self.value),
            "valid_from": None if self.valid_from is None else self.valid_from.isoformat(),
            "recorded_at": instant_text(self.recorded_at),
            "recorded_by": self.recorded_by,
        }


PriceRecords: TypeAlias = Mapping[tuple[str, str | None], Versions[PriceRecord]]
"""By field and package (None: of the platform)."""


def price_book(records: PriceRecords) -> PriceBook:
    """The same versions as rating reads them."""
    platform: dict[str, Versions[Decimal]] = {}
    packages: dict[str, dict[str, Versions[Decimal]]] = {}
    for (name, package), versions in records.items():
        fields = platform if package is None else packages.setdefault(package, {})
        fields[name] = Versions(
            tuple(Version(one.valid_from, None if one.value is None else one.value.value) for one in versions.recorded)
        )
    return PriceBook(platform, packages)
