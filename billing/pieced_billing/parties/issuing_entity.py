"""Who issues invoices: what customers read of it, and where they pay."""

from dataclasses import dataclass

from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.postal_address import PostalAddress


@dataclass(frozen=True, slots=True)
class IssuingEntity:
    """One that issues invoices under the name and on the terms of `terms`.

    `iban` is a Swiss account in 21 characters, `accent_colour` #rrggbb, `logo` an SVG image as text.
    """

    terms: IssuingTerms
    address: PostalAddress
    iban: str
    vat_number: str | None
    email: str | None
    accent_colour: str
    logo: str | None

    @property
    def name(self) -> str:
        """The issuing entity of its numbers."""
        return self.terms.issuer
