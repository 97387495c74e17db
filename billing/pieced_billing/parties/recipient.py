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
    """A recipient in printable text: the lines of its address, and that address where it is known in full."""

    lines: tuple[str, ...]
    address: PostalAddress | None
    country: str | None
    vat_number: str | None
    purchase_order: str | None


def require_printable(parts: Mapping[str, str | None]) -> None:
    """Raise UnfitText, which names the field, for a recipient that cannot be printed."""
    _printable(parts)


def printable_recipient(parts: Mapping[str, str | None]) -> Recipient:
    """The recipient that an invoice freezes, in printable text; raises UnfitText, which names the field."""
    printable = _printable(parts)
    address = postal_address(printable)
    street = " ".join(part for part in (printable["street"], printable["house_number"]) if part)
    town = " ".join(part for part in (printable["postcode"], printable["town"]) if part)
    lines = (printable["name"], street, town) if address is None else address.lines()
    return Recipient(
        lines=tuple(line for line in lines if line),
        address=address,
        country=printable["country"],
        vat_number=printable["vat_number"],
        purchase_order=printable["purchase_order"],
    )


def _printable(parts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: payment_text(name, parts.get(name) or "", longest) or None for name, longest in _LONGEST.items()}
