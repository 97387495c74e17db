"""The credit note: what is taken back from an invoice, never more than is left of it, with its VAT of then."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.invoicing.document import Invoice, Kind, Reversal
from pieced_billing.invoicing.draft import carried_document, document_of, line_document
from pieced_billing.money import ZERO, distribute, exact_sum
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.terms import VatPosture
from pieced_billing.rating.lines import Line
from pieced_billing.rating.vat import VatTotal, vat_totals


class Remaining(NamedTuple):
    """A line of an invoice as it was billed, and what of its amount no credit note has taken back."""

    position: int
    line: Line
    left: Decimal


@dataclass(frozen=True, slots=True)
class Original:
    """An invoice as a credit finds it; `vat` is the tax that is left by rate, `credit_notes` how many there are."""

    invoice_id: int
    number: str
    issued_by: IssuingTerms
    org: str
    month: Month
    vat_posture: VatPosture
    language: str
    recipient: Mapping[str, str | None]
    lines: tuple[Remaining, ...]
    vat: Mapping[Decimal, Decimal]
    credit_notes: int

    @property
    def net_left(self) -> Decimal:
        """What is left without VAT."""
        return exact_sum(one.left for one in self.lines)

    @property
    def gross_left(self) -> Decimal:
        """What is left with VAT."""
        return exact_sum(self.vat.values(), self.net_left)


class Wanted(NamedTuple):
    """What is to be credited: these lines or all, the whole of what is left of them or an amount without VAT."""

    positions: Collection[int] | None = None
    amount: Decimal | None = None


class CannotCredit(Refused):
    """What is to be credited is not there to be taken back."""

    code: ClassVar[str] = "cannot_credit"


def credit(original: Original, wanted: Wanted, reason: str, today: date) -> Invoice:
    """The credit note on an invoice, issued today to whom the invoice was. Raises CannotCredit."""
    chosen = _chosen(original, wanted)
    parts = _parts(original, chosen, wanted.amount)
    return credit_parts(original, [(one, part) for one, part in zip(chosen, parts, strict=True) if part], reason, today)


def credit_parts(
    original: Original, credited: Sequence[tuple[Remaining, Decimal]], reason: str, today: date
) -> Invoice:
    """The credit note that takes back these parts of lines, without VAT. Raises CannotCredit."""
    lines = tuple(_line(one, part) for one, part in credited)
    completes = {one.position: part for one, part in credited} == {
        one.position: one.left for one in original.lines if one.left
    }
    vat = tuple(_vat(total, original) for total in vat_totals(lines))
    net = exact_sum(line.amount for line in lines)
    gross = exact_sum((total.amount for total in vat), net)
    if net > 0 or gross > 0 or -net > original.net_left or -gross > original.gross_left:
        raise CannotCredit(
            f"That would be CHF {-gross:.2f} of {original.number}; a credit note gives back between CHF 0.00 "
            f"and what is left, CHF {original.gross_left:.2f}."
        )
    positions = tuple(one.position for one, _ in credited)
    documents = [
        line_document(line) | carried_document(line, original.month) | {"original_line": at}
        for line, at in zip(lines, positions, strict=True)
    ]
    content = document_of(original.org, original.month, original.vat_posture, documents, vat, ())
    return Invoice(
        kind=Kind.CREDIT_NOTE,
        issued_by=original.issued_by,
        org=original.org,
        month=original.month,
        revision=original.credit_notes + 1,
        vat_posture=original.vat_posture,
        lines=lines,
        net=net,
        gross=gross,
        content={**content, "credits": original.number, "reason": reason},
        recipient=original.recipient,
        language=original.language,
        issued_on=today,
        due_on=today,
        reversal=Reversal(original.invoice_id, reason, positions, completes),
    )


def _chosen(original: Original, wanted: Wanted) -> list[Remaining]:
    """The lines that are to be credited; each must be there and have something left."""
    if all(one.left == 0 for one in original.lines):
        raise CannotCredit(f"{original.number} is credited in full already.")
    if wanted.positions is None:
        return [one for one in original.lines if one.left]
    by_position = {one.position: one for one in original.lines}
    for position in wanted.positions:
        if position not in by_position:
            raise CannotCredit(f"{original.number} has no line {position}; its lines are 1 to {len(by_position)}.")
        if not by_position[position].left:
            raise CannotCredit(f"Line {position} of {original.number} is credited in full already.")
    return [by_position[position] for position in sorted(set(wanted.positions))]


def _parts(original: Original, chosen: Sequence[Remaining], amount: Decimal | None) -> list[Decimal]:
    """What is credited of each line: all that is left, or its share of an amount."""
    left = [one.left for one in chosen]
    if amount is None:
        return left
    if amount <= 0:
        raise CannotCredit("A credit note is for more than CHF 0.00.")
    whole = exact_sum(left)
    if amount > whole:
        raise CannotCredit(
            f"CHF {amount:.2f} is more than is left: CHF {max(whole, ZERO):.2f} without VAT of "
            f"{'these lines of ' if len(chosen) < len(original.lines) else ''}{original.number}."
        )
    return distribute(amount, left)


def _line(one: Remaining, part: Decimal) -> Line:
    """The line of a credit note: the whole line taken back as it was billed, or an amount of it."""
    if part == one.line.amount:
        return one.line._replace(quantity=-one.line.quantity, amount=-part, days=0)
    once = Decimal(-1).copy_sign(-part)
    return one.line._replace(quantity=once, unit="once", unit_price=abs(part), amount=-part, days=0)


def vat_by_rate(documents: Iterable[Iterable[Mapping[str, Any]]]) -> Mapping[Decimal, Decimal]:
    """The tax of several documents together, by rate; each is given by the `vat` of its content."""
    sums: defaultdict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for totals in documents:
        for total in totals:
            sums[Decimal(total["rate"])] += Decimal(total["amount"])
    return sums


def _vat(total: VatTotal, original: Original) -> VatTotal:
    """The VAT of a rate taken back: that of rule 15, at most what is left, and all of it with the last of the nets."""
    net_left = exact_sum(one.left for one in original.lines if one.line.vat_rate == total.rate)
    taken, vat_left = -total.amount, original.vat[total.rate]
    if -total.net == net_left or 0 <= vat_left < taken or taken < vat_left <= 0:
        taken = vat_left
    return total._replace(amount=-taken)
