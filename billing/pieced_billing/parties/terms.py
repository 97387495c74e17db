"""Where a customer is and how it is taxed, day by day (rule 14)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from pieced_billing.prices.versions import Versions


class VatPosture(StrEnum):
    """How VAT is put on a bill. All but `standard` have the rate 0."""

    STANDARD = "standard"
    EXPORT = "export"
    REVERSE_CHARGE = "reverse_charge"
    EXEMPT = "exempt"


DOMESTIC: Final = frozenset({"CH", "LI"})
"""Countries whose customers pay Swiss VAT."""

COUNTRY: Final = "country"
VAT_POSTURE: Final = "vat_posture"

_NONE: Final[Versions[str]] = Versions()


@dataclass(frozen=True)
class PartyTerms:
    """The versions of an organisation's country (ISO 3166 alpha-2) and of the posture that overrides it."""

    country: Versions[str] = _NONE
    vat_posture: Versions[str] = _NONE

    @property
    def configured(self) -> bool:
        """Whether it is said where the customer is, last of all: a row that nobody filled in says nothing (rule 14)."""
        return self.country.on(date.max) is not None

    def posture_on(self, day: date) -> VatPosture:
        """The posture on a day of service; standard where no country is known."""
        override = self.vat_posture.on(day)
        if override is not None:
            return VatPosture(override)
        country = self.country.on(day)
        return VatPosture.STANDARD if country is None or country in DOMESTIC else VatPosture.EXPORT


UNCONFIGURED: Final = PartyTerms()
"""The terms of an organisation without a configuration: standard."""
