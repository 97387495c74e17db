"""Invoices and credit notes into the database: lines, numbers, then the documents that seal the lines, by COPY."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from pieced_billing import faults
from pieced_billing.invoicing.document import RULES_VERSION, Invoice
from pieced_billing.invoicing.draft import CURRENCY
from pieced_billing.invoicing.number import NumberSeries, take_numbers
from pieced_billing.invoicing.proof import output_hash
from pieced_billing.store.connections import Connection

_LINES: Final = """COPY invoice_lines (invoice_id, position, tenant_name, tenant_uid, kind, package, service_from,
    service_to, quantity, unit, unit_price, vat_rate, amount, days, original_position,
    read_to, adjusts, adjusted_period, original_invoice_id, returned_days) FROM STDIN"""

_INVOICES: Final = """COPY invoices (id, number, issuing_entity, series, kind, zitadel_org_id, period_start, revision,
    currency, vat_posture, language, issued_on, due_on, net, vat, gross, recipient, content, rules_version,
    credits, completes, reason, finalised_at, stands_on, output_hash) FROM STDIN"""


def save_invoices(connection: Connection, invoices: Sequence[Invoice]) -> list[str]:
    """Finalise documents; returns their numbers, in their order. The caller's transaction must commit next."""
    query = "SELECT nextval('invoices_id_seq'), clock_timestamp() FROM generate_series(1, %s)"
    ids, instants = zip(*connection.execute(query, [len(invoices)]).fetchall(), strict=True)
    _copy(connection, _LINES, _lines(ids, invoices))
    faults.point("run.after_lines")
    numbers = _numbers(connection, invoices)
    faults.point("run.after_numbers")
    _copy(connection, _INVOICES, _rows(ids, numbers, instants, invoices))
    faults.point("run.after_invoices")
    return numbers


def _series(invoice: Invoice) -> NumberSeries:
    """Where the number of a document comes from."""
    return NumberSeries(invoice.issued_by.issuer, invoice.series, invoice.issued_on.year)


def _numbers(connection: Connection, invoices: Sequence[Invoice]) -> list[str]:
    """The next numbers of each series that occurs."""
    all_series = [_series(invoice) for invoice in invoices]
    taken = {
        series: iter(take_numbers(connection, series, count)) for series, count in sorted(Counter(all_series).items())
    }
    return [
        invoice.issued_by.number(series.series, series.year, next(taken[series]))
        for invoice, series in zip(invoices, all_series, strict=True)
    ]


def _copy(connection: Connection, statement: str, rows: Iterator[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _lines(ids: Sequence[int], invoices: Sequence[Invoice]) -> Iterator[Sequence[Any]]:
    for invoice_id, invoice in zip(ids, invoices, strict=True):
        for index, line in enumerate(invoice.lines):
            yield (invoice_id, index + 1, *line, *_origin(invoice, index, line.uid))


def _origin(invoice: Invoice, index: int, uid: str) -> Sequence[Any]:
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


def _rows(
    ids: Sequence[int], numbers: Sequence[str], instants: Sequence[datetime], invoices: Sequence[Invoice]
) -> Iterator[Sequence[Any]]:
    for invoice_id, number, finalised_at, invoice in zip(ids, numbers, instants, invoices, strict=True):
        reversal, evidence = invoice.reversal, invoice.evidence
        columns = (
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
        yield (*columns, output_hash(columns))
