"""Invoices and credit notes into the database: lines, numbers, then the documents that seal the lines, by COPY."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from pieced_billing import faults
from pieced_billing.invoicing.document import Invoice
from pieced_billing.invoicing.number import NumberSeries, take_numbers
from pieced_billing.invoicing.proof import output_hash
from pieced_billing.invoicing.rows import COLUMNS, LINE_COLUMNS, line_rows, row_of
from pieced_billing.store.connections import Connection

_LINES: Final = f"COPY invoice_lines (invoice_id, position, {', '.join(LINE_COLUMNS)}) FROM STDIN"
_INVOICES: Final = f"COPY invoices ({', '.join(COLUMNS)}, output_hash) FROM STDIN"


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
        for position, line in enumerate(line_rows(invoice), start=1):
            yield (invoice_id, position, *line)


def _rows(
    ids: Sequence[int], numbers: Sequence[str], instants: Sequence[datetime], invoices: Sequence[Invoice]
) -> Iterator[Sequence[Any]]:
    for invoice_id, number, finalised_at, invoice in zip(ids, numbers, instants, invoices, strict=True):
        columns = row_of(invoice, invoice_id, number, finalised_at)
        yield (*columns, output_hash(columns))
