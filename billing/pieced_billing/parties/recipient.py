"""Whom a bill is written to, as it can be printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pieced_billing.parties.payment_text import payment_text
from pieced_billing.parties.postal_address import LIMITS, PostalAddress, postal_address

_LONGEST: Final = LIMITS | {"vat_number": 35, "purchase_order": 70}
"""How many characters each part of a recipient has at most."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient in printable text, every part of it that is known; `country` is ISO 3166 alpha-2."""

    name: str | None
    street: str | None
    house_number: str | None
    postcode: str | None
    town: str | None
    country: str | None
    vat_number: str | None
    purchase_order: str | None

    @property
    def address(self) -> PostalAddress | None:
        """The address, where it is known in full."""
        return postal_address({name: getattr(self, name) for name in LIMITS})

    @property
    def lines(self) -> tuple[str, ...]:
        """The address as it is written on paper, or what of it is known."""
        if address := self.address:
            return tuple(address.lines())
        street = " ".join(part for part in (self.street, self.house_number) if part)
        town = " ".join(part for part in (self.postcode, self.town) if part)
        return tuple(line for line in (self.name, street, town) if line)


def require_printable(parts: Mapping[str, str | None]) -> None:
    """Raise UnfitText, which names the field, for a recipient that cannot be printed."""
    _printable(parts)


def printable_recipient(parts: Mapping[str, str | None]) -> Recipient:
    """The recipient that an invoice freezes, in printable text; raises UnfitText, which names the field."""
    return Recipient(**_printable(parts))


def _printable(parts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: payment_text(name, parts.get(name) or "", longest) or None for name, longest in _LONGEST.items()}
