"""From a draft to an invoice: the decision whether it may be issued, and what is frozen when it is."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

from pieced_billing.errors import Refused
from pieced_billing.invoicing.document import Invoice, Kind
from pieced_billing.invoicing.draft import Draft
from pieced_billing.invoicing.proof import Basis, Evidence
from pieced_billing.invoicing.warnings import DraftWarning
from pieced_billing.ledger.history import USAGE_UNAVAILABLE
from pieced_billing.parties.issuing_terms import Issuers, IssuingTerms, issuer_of
from pieced_billing.parties.organisation import NotConfigured, Organisation
from pieced_billing.parties.recipient import require_printable
from pieced_billing.parties.terms import PartyTerms

LARGEST_AMOUNT: Final = Decimal("9999999999.99")
"""The largest amount of an invoice and of its lines, in CHF: that of their columns."""
FALLBACK_LANGUAGE: Final = "de"


class OfTheDay(NamedTuple):
    """What a bill has from the day of its issue: by whom, to whom, in which language, and when it is due."""

    issued_by: IssuingTerms
    recipient: Mapping[str, str | None]
    language: str
    issued_on: date
    due_on: date


class UsageMissing(Refused):
    """A source did not tell all usage of the month: an invoice now would be short."""

    code: ClassVar[str] = USAGE_UNAVAILABLE

    def __init__(self, missing: Sequence[DraftWarning]) -> None:
        others = f" There are {len(missing) - 1} more such gaps." if len(missing) > 1 else ""
        super().__init__(f"{missing[0].tenant}: {missing[0].text}{others}")


class AmountTooLarge(Refused):
    """An amount beyond every price and use of this product: a mistake in what was recorded."""

    code: ClassVar[str] = "amount_too_large"

    def __init__(self, draft: Draft, amount: Decimal) -> None:
        super().__init__(
            f"The draft of {draft.month} has an amount of CHF {amount:.2f}; an invoice has none above {LARGEST_AMOUNT}."
        )


def issue(
    draft: Draft,
    organisation: Organisation | None,
    terms: PartyTerms | None,
    issuers: Issuers,
    today: date,
    *,
    revision: int = 1,
    basis: Basis | None = None,
) -> Invoice | None:
    """The bill of a draft, issued today: a credit note where it is negative (rule 17), None without lines (rule 18).

    `revision` is 1 for the first bill of the period, and one more after each that was credited in full; `basis` is what
    the draft was made from. Address, language, issuer and due date are those of today, the lines keep their days.
    Raises UsageMissing, NotConfigured, UnfitText, AmountTooLarge, NotDescribed and IssuerNotNamed.
    """
    if missing := [warning for warning in draft.warnings if warning.code == USAGE_UNAVAILABLE]:
        raise UsageMissing(missing)
    if not draft.lines:
        return None
    country = None if terms is None else terms.country.on(today)
    if organisation is None or country is None:
        raise NotConfigured(draft.org)
    issued_by = issuer_of(organisation, issuers)
    recipient = _recipient(organisation, country)
    require_printable(recipient)  # once it is issued, its document can be made
    largest = max((draft.gross, draft.net, *(line.amount for line in draft.lines)), key=abs)
    if abs(largest) > LARGEST_AMOUNT:
        raise AmountTooLarge(draft, largest)
    language = organisation.language or FALLBACK_LANGUAGE
    due_on = today if draft.gross < 0 else issued_by.due_on(today, organisation)
    evidence = None if basis is None else evidence_of(draft, basis)
    return frozen(draft, OfTheDay(issued_by, recipient, language, today, due_on), revision, evidence)


def frozen(draft: Draft, of_the_day: OfTheDay, revision: int, evidence: Evidence | None) -> Invoice:
    """The bill that a draft becomes, whether or not it may."""
    return Invoice(
        kind=Kind.CREDIT_NOTE if draft.gross < 0 else Kind.INVOICE,
        issued_by=of_the_day.issued_by,
        org=draft.org,
        month=draft.month,
        revision=revision,
        vat_posture=draft.vat_posture,
        lines=draft.lines,
        net=draft.net,
        gross=draft.gross,
        content=draft.document(),
        recipient=of_the_day.recipient,
        language=of_the_day.language,
        issued_on=of_the_day.issued_on,
        due_on=of_the_day.due_on,
        adjustments=draft.adjustments,
        evidence=evidence,
    )


def evidence_of(draft: Draft, basis: Basis) -> Evidence:
    """What the bill of a draft stands on."""
    return basis.of(draft.org, draft.usage, [line.uid for line in draft.lines if line.uid not in draft.usage])


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
