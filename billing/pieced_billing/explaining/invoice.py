"""Why an invoice is what it is: each line from what was known at its issue, VAT and totals from the lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from pieced_billing.errors import Refused
from pieced_billing.explaining.adjusted import Adjusted, explain_adjustment
from pieced_billing.explaining.agreement import counterpart, differs_from_document, differs_from_ledger
from pieced_billing.explaining.archive import Archive
from pieced_billing.explaining.issued import Issued, IssuedLine
from pieced_billing.explaining.issued_load import credited_before, load_numbers, read_before
from pieced_billing.explaining.line import SOURCES, Explained, explain_line
from pieced_billing.explaining.totals import Totals, explain_totals
from pieced_billing.invoicing.adjustments import Bill
from pieced_billing.invoicing.late import billed_lines
from pieced_billing.ledger.histories import unchanging
from pieced_billing.store.connections import Connection


class UnknownCharge(Refused):
    """A stored line is of no kind that there is."""

    code: ClassVar[str] = "unknown_charge"

    def __init__(self, number: str, line: IssuedLine) -> None:
        kind = line.adjusts or line.line.kind
        super().__init__(
            f"Line {line.position} of {number} is of kind {kind!r}, which is no charge: it was changed after it was"
            f" issued; see `pieced verify {number}`."
        )


@dataclass(frozen=True, slots=True)
class Credited:
    """A line that takes back from a line of an invoice, of which so much was `left`, in CHF without VAT."""

    invoice: str
    left: Decimal
    original: "LineExplanation"


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """A line as it was issued, what it comes from, and in what it differs from that: in nothing, if nobody changed it.

    `shown` is the line in the document's words.
    """

    stored: IssuedLine
    shown: Mapping[str, Any]
    source: Explained | Adjusted | Credited
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceExplanation:
    """An invoice or credit note, with all of its lines and sums, or with one line alone."""

    issued: Issued
    zone: str
    lines: tuple[LineExplanation, ...]
    totals: Totals | None


def explain_invoice(connection: Connection, number: str, position: int | None = None) -> InvoiceExplanation:
    """The explanation of what was issued with this number, or of the line at one place of it (from 1).

    Raises UnknownInvoice, UnknownLine, UnknownTenant and UnknownCharge. The connection must not be in a transaction.
    """
    with unchanging(connection):
        archive = Archive(connection)
        issued = archive.issued(number)
        chosen = issued.lines if position is None else (issued.at(position),)
        return InvoiceExplanation(
            issued,
            archive.zone,
            tuple(_explained(connection, archive, issued, one) for one in chosen),
            explain_totals(issued) if position is None else None,
        )


def _explained(connection: Connection, archive: Archive, issued: Issued, stored: IssuedLine) -> LineExplanation:
    source: Explained | Adjusted | Credited
    if issued.credits is not None:
        source, differences = _credited(connection, archive, issued, stored, issued.credits)
    elif (stored.adjusts or stored.line.kind) not in SOURCES:
        raise UnknownCharge(issued.number, stored)
    elif stored.bill is not None:
        source, differences = _adjusted(connection, archive, issued, stored, stored.bill)
    else:
        source, differences = _charged(archive, issued, stored)
    shown = issued.shown(stored.position)
    return LineExplanation(stored, shown, source, (*differences, *differs_from_document(stored.line, shown)))


def _charged(archive: Archive, issued: Issued, stored: IssuedLine) -> tuple[Explained, list[str]]:
    evidence = archive.evidence(issued, stored.line.uid, stored.month, stored.read_to)
    again = counterpart(stored.line, evidence.lines)
    line = stored.line if stored.has_days or again is None else stored.line._replace(days=again.days)
    return explain_line(line, evidence), differs_from_ledger(line, again)


def _adjusted(
    connection: Connection, archive: Archive, issued: Issued, stored: IssuedLine, bill: Bill
) -> tuple[Adjusted, list[str]]:
    uid = stored.line.uid
    knew = read_before(connection, issued, uid, archive.issued(bill.number))
    evidence = archive.evidence(issued, uid, bill.month, stored.read_to, knew)
    before = billed_lines(connection, bill.month, [bill.invoice_id], [uid], issued.invoice_id).get(uid, [])
    numbers = load_numbers(connection, [one.invoice_id for one in before])
    taken_back = bill.month in issued.months
    return explain_adjustment(stored, bill, evidence, before, numbers, taken_back=taken_back)


def _credited(
    connection: Connection, archive: Archive, issued: Issued, stored: IssuedLine, number: str
) -> tuple[Credited, list[str]]:
    original = archive.issued(number)
    line = original.at(stored.original_position or 0)
    left = line.line.amount + credited_before(connection, issued, line.position)
    rest, differences = left + stored.line.amount, []
    if not (0 <= rest < left or left < rest <= 0):
        differences.append(f"it takes back {-stored.line.amount} of a line of which {left} was left")
    return Credited(number, left, _explained(connection, archive, original, line)), differences
