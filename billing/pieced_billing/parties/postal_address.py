"""A structured postal address as Swiss payments know it (type S; SIX guidelines QR-bill 2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pieced_billing.parties.payment_text import payment_text

LIMITS: Final = {"name": 70, "street": 70, "house_number": 16, "postcode": 16, "town": 35, "country": 2}
"""How many characters each part of an address has at most."""
DOMESTIC: Final = "CH"


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A whole address, every part in the characters and the length of a payment slip; `country` is ISO 3166 alpha-2."""

    name: str
    street: str | None
    house_number: str | None
    postcode: str
    town: str
    country: str

    def lines(self) -> list[str]:
        """The address as it is written on paper; the country is said where it is not Switzerland."""
        street = " ".join(part for part in (self.street, self.house_number) if part)
        town = f"{self.postcode} {self.town}"
        return [
            line for line in (self.name, street, town if self.country == DOMESTIC else f"{self.country} {town}") if line
        ]


def postal_address(parts: Mapping[str, str | None]) -> PostalAddress | None:
    """The address that these parts make, by the names in LIMITS; None where one is missing that a payment needs.

    Raises UnfitText for a part that cannot be written on a payment slip, missing others or not.
    """
    fitted = {name: payment_text(name, parts.get(name) or "", longest) or None for name, longest in LIMITS.items()}
    name, postcode, town, country = (fitted[required] for required in ("name", "postcode", "town", "country"))
    if not (name and postcode and town and country):
        return None
    return PostalAddress(name, fitted["street"], fitted["house_number"], postcode, town, country)
