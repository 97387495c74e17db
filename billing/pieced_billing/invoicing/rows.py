"""An invoice or credit note and its lines as rows: what is stored of them, column by column."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import orjson

from pieced_billing.invoicing.document import RULES_VERSION, Invoice
from pieced_billing.invoicing.draft import CURRENCY

COLUMNS: Final = (
    *("id", "number", "issuing_entity", "series", "kind", "zitadel_org_id", "period_start", "revision", "currency"),
    *("vat_posture", "language", "issued_on", "due_on", "net", "vat", "gross", "recipient", "content"),
    *("rules_version", "credits", "completes", "reason", "finalised_at", "stands_on"),
)
"""The columns of `invoices` that the output hash is of, in its order."""

LINE_COLUMNS: Final = (
    *("tenant_name", "tenant_uid", "kind", "package", "service_from", "service_to", "quantity", "unit", "unit_price"),
    *("vat_rate", "amount", "days", "original_position", "read_to", "adjusts", "adjusted_period"),
    *("original_invoice_id", "returned_days"),
)
"""The columns of `invoice_lines` after the invoice's id and the position."""


def row_of(invoice: Invoice, invoice_id: int, number: str, finalised_at: datetime) -> tuple[Any, ...]:
    """COLUMNS of a document that has its number."""
    reversal, evidence = invoice.reversal, invoice.evidence
    return (
        invoice_id,
        number,
        invoice.issued_by.issuer,
        invoice.series,
        invoice.kind.value,
        invoice.org,
        invoice.month.first,
        invoice.revision,
        CURRENCY,
        invoice.vat_posture.value,
        invoice.language,
        invoice.issued_on,
        invoice.due_on,
        invoice.net,
        invoice.gross - invoice.net,
        invoice.gross,
        orjson.dumps(invoice.recipient).decode(),
        orjson.dumps(invoice.content).decode(),
        RULES_VERSION,
        None if reversal is None else reversal.invoice_id,
        False if reversal is None else reversal.completes,
        None if reversal is None else reversal.reason,
        finalised_at,
        None if evidence is None else orjson.dumps(evidence.document()).decode(),
    )


def line_rows(invoice: Invoice) -> Iterator[tuple[Any, ...]]:
    """LINE_COLUMNS of each line, in their order."""
    for index, line in enumerate(invoice.lines):
        yield (*line, *_origin(invoice, index, line.uid))


def _origin(invoice: Invoice, index: int, uid: str) -> tuple[Any, ...]:
    """What a line comes from: a line that it takes back, a period that it puts right, and how far its UID was read."""
    if invoice.reversal is not None:
        return (invoice.reversal.positions[index], None, None, None, None, 0)
    read_to = 0 if invoice.evidence is None else invoice.evidence.read_to(uid)
    adjustment = invoice.adjustments.get(index)
    if adjustment is None:
        return (None, read_to, None, None, None, 0)
    bill = adjustment.bill
    original = (adjustment.charge, bill.month.first, bill.invoice_id)
    return (adjustment.original_line, read_to, *original, adjustment.returned)
