"""Who issues invoices: what customers read of it, and where they pay."""

from dataclasses import dataclass
from typing import ClassVar

from pieced_billing.errors import Refused
from pieced_billing.parties.postal_address import PostalAddress


@dataclass(frozen=True, slots=True)
class IssuingEntity:
    """One that issues invoices under `name`, the issuing entity of their numbers.

    `iban` is a Swiss account in 21 characters, `accent_colour` #rrggbb, `logo` an SVG image as text.
    """

    name: str
    address: PostalAddress
    iban: str
    vat_number: str | None
    email: str | None
    accent_colour: str
    logo: str | None


class NotDescribed(Refused):
    """A document names its supplier, and nobody has said who that is."""

    code: ClassVar[str] = "issuer_not_described"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nobody has said who issues the invoices of {name!r}; describe it with `pieced issuer apply`."
        )
