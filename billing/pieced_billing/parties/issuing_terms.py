"""How somebody issues invoices: how the numbers are written, and when they are to be paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar, Final, TypeAlias

from pieced_billing.errors import Refused
from pieced_billing.money import ZERO
from pieced_billing.parties.organisation import Organisation

SERIES: Final = "INV"
CREDIT_SERIES: Final = "CN"
DEFAULT_ISSUER: Final = "default"
"""Who issues where nobody was described, and for whom no other is named."""


@dataclass(frozen=True, slots=True)
class IssuingTerms:
    """What an issuing entity says of its numbers and of payment.

    `payment_days` lie between the date of an invoice and its due date. An invoice of less than `minimum_amount`, CHF
    with VAT, waits for the next.
    """

    issuer: str = DEFAULT_ISSUER
    invoice_prefix: str = SERIES
    credit_note_prefix: str = CREDIT_SERIES
    number_digits: int = 6
    payment_days: int = 30
    minimum_amount: Decimal = ZERO

    @property
    def prefixes(self) -> dict[str, str]:
        """The prefix of each series."""
        return {SERIES: self.invoice_prefix, CREDIT_SERIES: self.credit_note_prefix}

    def number(self, series: str, year: int, count: int) -> str:
        """How the number of a document is written; one that is too large for its digits gets longer.

        >>> IssuingTerms().number("INV", 2026, 1)
        'INV-2026-000001'
        """
        return f"{self.prefixes[series]}-{year}-{count:0{self.number_digits}}"

    def due_on(self, issued_on: date, organisation: Organisation) -> date:
        """When an invoice is to be paid: what was agreed with the organisation comes first."""
        agreed = organisation.payment_days
        return issued_on + timedelta(days=self.payment_days if agreed is None else agreed)


Issuers: TypeAlias = Mapping[str, IssuingTerms]
"""Everybody who was described, by name."""


class NotDescribed(Refused):
    """A document names its supplier, and nobody has said who that is."""

    code: ClassVar[str] = "issuer_not_described"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nobody has said who issues the invoices of {name!r}; describe it with `pieced issuer apply`."
        )


class IssuerNotNamed(Refused):
    """There are several who could issue, and nobody said who does."""

    code: ClassVar[str] = "issuer_not_named"

    def __init__(self, org: str, names: list[str]) -> None:
        super().__init__(
            f"Organisation {org} does not say who issues its invoices, one of {', '.join(names)}; name it as `issuer` "
            "with `pieced org apply`."
        )


def issuer_of(organisation: Organisation, issuers: Issuers) -> IssuingTerms:
    """Who issues an organisation's bills: whom it names, the only one, or the one that is called `default`.

    Raises NotDescribed for a name that nobody described, and IssuerNotNamed where there are several others.
    """
    if organisation.issuer is not None:
        return named_issuer(organisation.issuer, issuers)
    if len(issuers) == 1:
        return next(iter(issuers.values()))
    if issuers and DEFAULT_ISSUER not in issuers:
        raise IssuerNotNamed(organisation.org, sorted(issuers))
    return named_issuer(DEFAULT_ISSUER, issuers)


def named_issuer(name: str, issuers: Issuers) -> IssuingTerms:
    """Who issues under a name; before anybody is described, `default` does. Raises NotDescribed."""
    if name in issuers:
        return issuers[name]
    if name == DEFAULT_ISSUER:
        return IssuingTerms()
    raise NotDescribed(name)
