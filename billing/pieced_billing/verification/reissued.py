"""The documents of one organisation as they were made again so far, and which of them stand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import KIND, BilledLine
from pieced_billing.invoicing.document import Invoice
from pieced_billing.invoicing.rows import LINE_COLUMNS
from pieced_billing.rating.lines import Line
from pieced_billing.verification.documents import Document


class Pair(NamedTuple):
    """A document as it is stored, and as it should be."""

    document: Document
    invoice: Invoice

    def credited(self) -> Iterator[tuple[int, Line]]:
        """The lines of a credit note, each with the position of the line that it takes back from."""
        if self.invoice.reversal is not None:
            yield from zip(self.invoice.reversal.positions, self.invoice.lines, strict=True)

    def keeps_days(self, position: int) -> bool:
        """Whether the stored line says which days it bills; those from before that was kept do not."""
        line = self.document.lines.get(position)
        return line is None or line[LINE_COLUMNS.index("days")] is not None

    def vat(self) -> Sequence[Mapping[str, Any]]:
        """The VAT by rate, as its content has it."""
        found: Any = self.invoice.content["vat"]
        return list(found)

    def months(self) -> list[Month]:
        """The periods that a bill is of: its own, and those that were carried to it, ascending."""
        carried = {month for month, one in self.billed() if one.line.kind != KIND}
        return sorted(carried | {self.invoice.month})

    def billed(self) -> Iterator[tuple[Month, BilledLine]]:
        """The lines of a bill, each with the period that it is about."""
        for index, line in enumerate(self.invoice.lines):
            adjustment = self.invoice.adjustments.get(index)
            if adjustment is None:
                yield Month.of(line.service_from), BilledLine(self.document.id, index + 1, line.kind, line, 0)
            else:
                billed = BilledLine(self.document.id, index + 1, adjustment.charge, line, adjustment.returned)
                yield adjustment.bill.month, billed


class Reissued:
    """What was made again so far."""

    def __init__(self) -> None:
        self.by_id: dict[int, Pair] = {}
        self._completed: set[int] = set()

    def add(self, document: Document, invoice: Invoice) -> None:
        """Count the next document."""
        self.by_id[document.id] = Pair(document, invoice)
        if invoice.reversal is not None and invoice.reversal.completes:
            self._completed.add(invoice.reversal.invoice_id)

    def bills(self) -> Iterator[Pair]:
        """The bills of periods, whether or not they stand."""
        return (one for one in self.by_id.values() if one.invoice.reversal is None)

    def standing(self) -> Iterator[Pair]:
        """The bills that no credit note took back in full."""
        return (one for one in self.bills() if one.document.id not in self._completed)

    def credit_notes(self, invoice_id: int) -> list[Pair]:
        """The credit notes on an invoice."""
        found = ((one, one.invoice.reversal) for one in self.by_id.values())
        return [one for one, reversal in found if reversal is not None and reversal.invoice_id == invoice_id]
