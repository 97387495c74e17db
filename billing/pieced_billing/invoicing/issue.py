"""From a draft to an invoice: the decision whether it may be issued, and what is frozen when it is."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final

from pieced_billing.errors import Refused
from pieced_billing.invoicing.draft import Draft
from pieced_billing.parties.organisation import NotConfigured, Organisation
from pieced_billing.parties.terms import PartyTerms

PAYMENT_TERM: Final = timedelta(days=30)
FALLBACK_LANGUAGE: Final = "de"
RULES_VERSION: Final = "1"
"""Which edition of the rules of a bill an invoice was made by."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """A draft that is issued: to whom, in which language, when, and when it is due. It has no number yet."""

    draft: Draft
    recipient: dict[str, str | None]
    language: str
    issued_on: date
    due_on: date


class NegativeDraft(Refused):
    """A draft below zero is a credit note, not an invoice (rule 17)."""

    code: ClassVar[str] = "negative_draft"

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"The draft of {draft.month} is negative (CHF {draft.gross:.2f}); it needs a credit note.")


def issue(draft: Draft, organisation: Organisation | None, terms: PartyTerms | None, today: date) -> Invoice | None:
    """The invoice of a draft, issued today; None for a draft without lines (rule 18).

    Raises NotConfigured and NegativeDraft. Address and language are those of today, the lines keep their days.
    """
    if not draft.lines:
        return None
    country = None if terms is None else terms.country.on(today)
    if organisation is None or country is None:
        raise NotConfigured(draft.org)
    if draft.gross < 0:
        raise NegativeDraft(draft)
    return Invoice(
        draft=draft,
        recipient=_recipient(organisation, country),
        language=organisation.language or FALLBACK_LANGUAGE,
        issued_on=today,
        due_on=today + PAYMENT_TERM,
    )


def _recipient(organisation: Organisation, country: str) -> dict[str, str | None]:
    return {
        "name": organisation.name,
        "street": organisation.street,
        "house_number": organisation.house_number,
        "postcode": organisation.postcode,
        "town": organisation.town,
        "country": country,
        "email": organisation.email,
        "vat_number": organisation.vat_number,
        "purchase_order": organisation.purchase_order,
    }
