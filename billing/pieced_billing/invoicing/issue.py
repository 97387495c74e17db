"""From a draft to an invoice: the decision whether it may be issued, and what is frozen when it is."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar, Final

from pieced_billing.errors import Refused
from pieced_billing.invoicing.draft import Draft
from pieced_billing.parties.organisation import NotConfigured, Organisation
from pieced_billing.parties.terms import PartyTerms

LARGEST_AMOUNT: Final = Decimal("9999999999.99")
"""The largest amount of an invoice and of its lines, in CHF: that of their columns."""
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


class AmountTooLarge(Refused):
    """An amount beyond every price and use of this product: a mistake in what was recorded."""

    code: ClassVar[str] = "amount_too_large"

    def __init__(self, draft: Draft, amount: Decimal) -> None:
        super().__init__(
            f"The draft of {draft.month} has an amount of CHF {amount:.2f}; an invoice has none above {LARGEST_AMOUNT}."
        )


def issue(draft: Draft, organisation: Organisation | None, terms: PartyTerms | None, today: date) -> Invoice | None:
    """The invoice of a draft, issued today; None for a draft without lines (rule 18).

    Raises NotConfigured, NegativeDraft and AmountTooLarge. Address and language are those of today, the lines keep
    their days.
    """
    if not draft.lines:
        return None
    country = None if terms is None else terms.country.on(today)
    if organisation is None or country is None:
        raise NotConfigured(draft.org)
    if draft.gross < 0:
        raise NegativeDraft(draft)
    largest = max((draft.gross, draft.net, *(line.amount for line in draft.lines)), key=abs)
    if abs(largest) > LARGEST_AMOUNT:
        raise AmountTooLarge(draft, largest)
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
