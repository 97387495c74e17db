"""The price book: every version of every price, of the platform and of each package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from pieced_billing.prices.versions import Versions

TENANT_SETUP_FEE: Final = "tenant_setup_fee_chf"
TENANT_MONTHLY_FEE: Final = "tenant_monthly_fee_chf"
THREEMA_MESSAGE: Final = "threema_message_chf"
VAT_RATE: Final = "vat_rate_chli"
PACKAGE_DAILY_PRICE: Final = "daily_price_chf"
PACKAGE_SETUP_FEE: Final = "setup_fee_chf"

PLATFORM_PLACES: Final[Mapping[str, int]] = {
    TENANT_SETUP_FEE: 2,
    TENANT_MONTHLY_FEE: 2,
    THREEMA_MESSAGE: 5,
    VAT_RATE: 2,
}
"""The fields of the platform's price and how many decimals each may have (rule 12)."""

PACKAGE_PLACES: Final[Mapping[str, int]] = {PACKAGE_DAILY_PRICE: 5, PACKAGE_SETUP_FEE: 2}
"""The fields of a package's price and how many decimals each may have (rule 12)."""

_NO_VERSIONS: Final[Versions[Decimal]] = Versions()
_STATUTORY_RAISE_ON: Final = date(2024, 1, 1)


def statutory_rate(day: date) -> Decimal:
    """The standard rate of Swiss VAT on a day of service, in percent (rule 14)."""
    return Decimal("7.7") if day < _STATUTORY_RAISE_ON else Decimal("8.1")


@dataclass(frozen=True)
class PriceBook:
    """Versions by field of the platform, and by package and field."""

    platform: Mapping[str, Versions[Decimal]] = field(default_factory=dict)
    packages: Mapping[str, Mapping[str, Versions[Decimal]]] = field(default_factory=dict)

    def versions(self, name: str, package: str | None = None) -> Versions[Decimal]:
        """The versions of a field of the platform, or of a package where one is given; empty where none is recorded."""
        fields = self.platform if package is None else self.packages.get(package, {})
        return fields.get(name, _NO_VERSIONS)

    def vat_rate_on(self, day: date) -> Decimal:
        """The rate of a customer in CH or LI on a day of service: the version in force, or the statutory one."""
        rate = self.versions(VAT_RATE).on(day)
        return statutory_rate(day) if rate is None else rate
