"""One organisation's documents made again, in the order in which they were issued, from what was known then.

Nothing that a document says of amounts is believed: of bills it is only taken when and to whom they were issued, and of
credit notes which lines somebody decided to take back, how much of each, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from pieced_billing.invoicing.credit import CannotCredit, Original, Remaining, credit_parts, vat_by_rate
from pieced_billing.invoicing.document import Invoice
from pieced_billing.invoicing.draft import draft
from pieced_billing.invoicing.issue import OfTheDay, evidence_of, frozen
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.invoicing.proof import Basis
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.money import ZERO, exact_sum
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.verification.documents import Document, Then
from pieced_billing.verification.late_again import LateAgain
from pieced_billing.verification.reissued import Reissued
from pieced_billing.verification.tenant_facts import TenantFacts
from pieced_billing.verification.then import Months, Settings, then_of
from pieced_billing.verification.versions_then import TermsThen


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to know of one organisation: its terms, and the facts of its tenants by UID."""

    org: str
    terms: TermsThen
    facts: Mapping[str, TenantFacts]


class Replay:
    """Makes the documents of one organisation again, one after the other."""

    def __init__(self, known: Known, months: Months, settings: Settings) -> None:
        self._known = known
        self._months = months
        self._settings = settings
        self.reissued = Reissued()
        self._late = LateAgain(self.reissued, known.facts, months)

    def next(self, document: Document) -> Invoice:
        """What the next document should be. Raises CannotCredit for a credit note on what is not there."""
        invoice = self._bill(document) if document.credits is None else self._credit_note(document, document.credits)
        self.reissued.add(document, invoice)
        if document.credits is not None and invoice.reversal is not None and invoice.reversal.completes:
            self._late.credited(document.credits)
        return invoice

    def _bill(self, document: Document) -> Invoice:
        known, month = self._known, document.month
        then = then_of(document, self._settings, self._months.prices, known.terms, known.facts)
        billing_month = self._months.then(month, then)
        terms = known.terms.terms(then.terms)
        revision = 1 + sum(1 for one in self.reissued.bills() if one.invoice.month == month)
        earlier = document.carried_months
        adjusted = self._late.adjustments(then, terms, [*([month] if revision > 1 else []), *earlier])
        carried = [
            draft(of_month, known.org, self._histories(then, of_month), terms)
            for of_month in (self._months.then(one, then) for one in earlier)
        ]
        drafted = draft(billing_month, known.org, self._histories(then, billing_month), terms, adjusted, carried)
        evidence = None if document.stands_on is None else evidence_of(drafted, self._basis(then))
        return frozen(drafted, _of_the_day(document), revision, evidence)

    def _histories(self, then: Then, month: BillingMonth) -> list[TenantHistory]:
        found = (self._known.facts[uid].history(links, month.days) for uid, links in then.links.items())
        return [one for one in found if one is not None]

    def _basis(self, then: Then) -> Basis:
        """What a bill should say that it stands on."""
        ends = {uid: self._known.facts[uid].end_at(links) for uid, links in then.links.items()}
        terms = {self._known.org: self._known.terms.known(then.terms)}
        issuers = None if then.issuers is None else self._months.known_issuers(then.issuers)
        return Basis(then.zone, then.billing_start, self._months.prices.known(then.prices), issuers, terms, ends)

    def _credit_note(self, document: Document, invoice_id: int) -> Invoice:
        original = self._original(invoice_id)
        by_position = {one.position: one for one in original.lines}
        credited = []
        for position, part in document.credited.items():
            if position not in by_position:
                raise CannotCredit(f"{original.number} has no line {position}; its lines are 1 to {len(by_position)}.")
            credited.append((by_position[position], part))
        return credit_parts(original, credited, document.row["reason"], document.row["issued_on"])

    def _original(self, invoice_id: int) -> Original:
        """The credited invoice with what the credit notes before left of it."""
        one = self.reissued.by_id.get(invoice_id)
        if one is None:
            raise CannotCredit("The invoice that it credits is not there.")
        before = self.reissued.credit_notes(invoice_id)
        invoice = one.invoice
        taken = {
            position: exact_sum(line.amount for note in before for at, line in note.credited() if at == position)
            for position in range(1, len(invoice.lines) + 1)
        }
        return Original(
            invoice_id=invoice_id,
            number=one.document.number,
            issued_by=invoice.issued_by,
            org=invoice.org,
            month=invoice.month,
            vat_posture=invoice.vat_posture,
            language=invoice.language,
            recipient=invoice.recipient,
            lines=tuple(
                Remaining(position, line, exact_sum([line.amount, taken.get(position, ZERO)]))
                for position, line in enumerate(invoice.lines, start=1)
            ),
            vat=vat_by_rate([one.vat(), *(note.vat() for note in before)]),
            credit_notes=len(before),
        )


def _of_the_day(document: Document) -> OfTheDay:
    """What nobody can know today any more: how issuer and customer were written on the day of issue."""
    row = document.row
    issuer = IssuingTerms(row["issuing_entity"])
    return OfTheDay(issuer, orjson.loads(row["recipient"]), row["language"], row["issued_on"], row["due_on"])
