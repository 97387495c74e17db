"""Finalised invoices for other programs: one JSON document each, their lines as CSV, or e-invoices (formats.md)."""

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from pieced_billing.calendar import Month
from pieced_billing.documents.factur_x import embedded_e_invoice
from pieced_billing.documents.store import invoice_pdf
from pieced_billing.store.connections import Connection

_FETCHED_AT_ONCE: Final = 200
_INVOICES: Final = """
SELECT {columns} FROM invoices LEFT JOIN invoice_documents ON invoice_id = invoices.id
WHERE (%(month)s::date IS NULL OR period_start = %(month)s) AND (%(org)s::text IS NULL OR zitadel_org_id = %(org)s)
ORDER BY issuing_entity, series, length(number), number
"""
_FROZEN: Final = (
    "number, kind, issuing_entity, issued_on::text, due_on::text, language, recipient, content, encode(sha256, 'hex')"
)
_OF_INVOICE: Final = ("number", "kind", "issued_on", "due_on", "org", "recipient", "period", "currency", "gross")
_OF_LINE: Final = ("tenant", "uid", "kind", "package", "service_from", "service_to", "unit")
_NUMBERS_OF_LINE: Final = ("quantity", "unit_price", "vat_rate", "amount")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def exported_invoices(
    connection: Connection, month: Month | None, org: str | None
) -> Generator[dict[str, Any], None, None]:
    """The invoices and credit notes of a month, of an organisation, or all, as they were frozen, by number.

    `pdf_sha256` is that of the stored document, None where none was made.
    """
    with connection.cursor("exported_invoices") as cursor:
        cursor.itersize = _FETCHED_AT_ONCE
        for number, kind, issuer, issued_on, due_on, language, recipient, content, sha256 in cursor.execute(
            _INVOICES.format(columns=_FROZEN), _parameters(month, org)
        ):
            yield {
                "number": number,
                "kind": kind,
                "issuer": issuer,
                "issued_on": issued_on,
                "due_on": due_on,
                "language": language,
                "recipient": recipient,
                **content,
                "pdf_sha256": sha256,
            }


def exported_e_invoices(
    connection: Connection, month: Month | None, org: str | None
) -> Iterator[tuple[str, bytes | None]]:
    """The same by number as e-invoices, as they are in the documents; None of one that has none.

    In the caller's transaction; a document that nobody asked for yet is made. Raises as `invoice_pdf` does.
    """
    numbers = connection.execute(_INVOICES.format(columns="number"), _parameters(month, org)).fetchall()
    for (number,) in numbers:
        yield number, embedded_e_invoice(invoice_pdf(connection, number))


def _parameters(month: Month | None, org: str | None) -> dict[str, date | str | None]:
    return {"month": None if month is None else month.first, "org": org}


def csv_of(invoices: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of invoices as CSV (RFC 4180): a header, then the row of each line.

    No text begins like a formula of a spreadsheet program: it gets an apostrophe before it. Numbers stay numbers.
    """
    of_line = (f"line_{name}" if name in _OF_INVOICE else name for name in _OF_LINE)
    yield _record([*_OF_INVOICE, "line", *of_line, *_NUMBERS_OF_LINE])
    for invoice in invoices:
        of_invoice = [_cell(_text(invoice, name)) for name in _OF_INVOICE[:-1]] + [invoice["gross"]]
        for position, line in enumerate(invoice["lines"], start=1):
            described = [_cell(line[name]) for name in _OF_LINE]
            numbers = [line[name] for name in _NUMBERS_OF_LINE]
            yield _record([*of_invoice, position, *described, *numbers])


def _text(invoice: Mapping[str, Any], name: str) -> Any:
    return invoice["recipient"]["name"] if name == "recipient" else invoice[name]


def _cell(text: str | None) -> str:
    """A text as a cell that no spreadsheet program takes for a formula."""
    shown = text or ""
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _record(cells: Sequence[object]) -> str:
    record = io.StringIO()
    csv.writer(record).writerow(cells)
    return record.getvalue()
