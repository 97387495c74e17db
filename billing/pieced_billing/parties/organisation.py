"""An organisation: who is billed, where the bill goes, and what was agreed. Its terms of VAT are in `terms.py`."""

from dataclasses import dataclass, fields
from typing import ClassVar, Final

from pieced_billing.errors import Refused


@dataclass(frozen=True, slots=True)
class Organisation:
    """What `org_billing_config` says of one organisation and has no versions; None is "not said".

    `issuer` names who issues its bills; `payment_days` were agreed with it and go before those of the issuer.
    """

    org: str
    name: str | None = None
    street: str | None = None
    house_number: str | None = None
    postcode: str | None = None
    town: str | None = None
    language: str | None = None
    email: str | None = None
    vat_number: str | None = None
    purchase_order: str | None = None
    pay_by_invoice: bool | None = None
    auto_invoice_enabled: bool | None = None
    auto_reminders_enabled: bool | None = None
    issuer: str | None = None
    payment_days: int | None = None


TEXT_FIELDS: Final = (
    "name",
    "street",
    "house_number",
    "postcode",
    "town",
    "email",
    "vat_number",
    "purchase_order",
    "issuer",
)
SWITCHES: Final = ("pay_by_invoice", "auto_invoice_enabled", "auto_reminders_enabled")
LANGUAGES: Final = ("de", "en", "fr", "it")
LONGEST_PAYMENT_DAYS: Final = 365
FIELDS: Final = tuple(field.name for field in fields(Organisation) if field.name != "org")


class NotConfigured(Refused):
    """Nobody has said who an organisation is, its country above all; an invoice needs a recipient (rule 14)."""

    code: ClassVar[str] = "org_without_configuration"

    def __init__(self, org: str) -> None:
        super().__init__(f"Organisation {org} has no configuration; give its name and country with `pieced org apply`.")
