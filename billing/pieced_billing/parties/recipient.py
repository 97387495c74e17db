"""Whom a bill is written to, as it can be printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pieced_billing.parties.payment_text import payment_text
from pieced_billing.parties.postal_address import LIMITS, PostalAddress, postal_address

_NUMBERS: Final = {"vat_number": 35, "purchase_order": 70}
"""How many characters what a customer wants to read on its bills has at most."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient in printable text: the lines of its address, and that address where it is known in full."""

    lines: tuple[str, ...]
    address: PostalAddress | None
    country: str | None
    vat_number: str | None
    purchase_order: str | None


def printable_recipient(parts: Mapping[str, str | None]) -> Recipient:
    """The recipient that an invoice freezes, in printable text; raises UnfitText, which names the field."""
    fitted = {
        name: payment_text(name, parts.get(name) or "", longest) or None
        for name, longest in (LIMITS | _NUMBERS).items()
    }
    address = postal_address(parts)
    street = " ".join(part for part in (fitted["street"], fitted["house_number"]) if part)
    town = " ".join(part for part in (fitted["postcode"], fitted["town"]) if part)
    lines = (fitted["name"], street, town) if address is None else address.lines()
    return Recipient(
        lines=tuple(line for line in lines if line),
        address=address,
        country=fitted["country"],
        vat_number=fitted["vat_number"],
        purchase_order=fitted["purchase_order"],
    )
