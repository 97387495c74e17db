"""The explanation of an invoice or credit note as JSON values."""

from typing import Any

from pieced_billing.explaining.adjusted import Adjusted
from pieced_billing.explaining.invoice import Credited, InvoiceExplanation, LineExplanation
from pieced_billing.explaining.line import Explained
from pieced_billing.explaining.line_document import explained_document
from pieced_billing.invoicing.draft import CURRENCY, line_document
from pieced_billing.ledger.export import instant_text
from pieced_billing.money import amount_text


def invoice_document(explanation: InvoiceExplanation) -> dict[str, Any]:
    """What was issued, and each line and sum with everything that it comes from."""
    issued, totals = explanation.issued, explanation.totals
    document: dict[str, Any] = {
        "number": issued.number,
        "kind": issued.kind.value,
        "org": issued.org,
        "period": str(issued.month),
        "zone": explanation.zone,
        "issued_on": issued.issued_on.isoformat(),
        "finalised_at": instant_text(issued.finalised_at),
        "credits": issued.credits,
        "reason": issued.reason,
        "currency": CURRENCY,
        "lines": [_line(line) for line in explanation.lines],
    }
    if totals is not None:
        document |= {
            "net": amount_text(issued.net),
            "vat": [one.document() for one in totals.vat],
            "gross": amount_text(issued.gross),
            "differences": list(totals.differences),
        }
    return document


def _line(line: LineExplanation) -> dict[str, Any]:
    """The line as it was issued and is stored, whether it is what the ledger gives, and what it comes from."""
    return {
        "line": line.stored.position,
        **line.shown,
        **line_document(line.stored.line),
        "differences": list(line.differences),
        **_source(line.source),
    }


def _source(source: Explained | Adjusted | Credited) -> dict[str, Any]:
    match source:
        case Explained():
            return explained_document(source)
        case Adjusted():
            return {
                **source.arithmetic.document(),
                "taken_back": source.taken_back,
                "billed_by": [one.document() for one in source.billed],
                "correct_lines": [line_document(one.line) | explained_document(one) for one in source.correct],
                "arrived": source.arrived.document(),
            }
        case Credited():
            return {"left": amount_text(source.left), "original": {"invoice": source.invoice, **_line(source.original)}}
