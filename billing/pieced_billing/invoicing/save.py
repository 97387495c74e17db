"""Invoices into the database: lines, numbers, then the invoices that seal the lines, by COPY."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from pieced_billing import faults
from pieced_billing.invoicing.draft import CURRENCY
from pieced_billing.invoicing.issue import RULES_VERSION, Invoice
from pieced_billing.invoicing.number import ISSUING_ENTITY, SERIES, take_numbers
from pieced_billing.store.connections import Connection

_LINES: Final = """COPY invoice_lines (invoice_id, position, tenant_name, tenant_uid, kind, package, service_from,
    service_to, quantity, unit, unit_price, vat_rate, amount) FROM STDIN"""

_INVOICES: Final = """COPY invoices (id, number, issuing_entity, series, zitadel_org_id, period_start, currency,
    vat_posture, language, issued_on, due_on, net, vat, gross, recipient, content, rules_version) FROM STDIN"""


def save_invoices(connection: Connection, invoices: Sequence[Invoice]) -> list[str]:
    """Finalise invoices issued on one day; returns their numbers. The caller's transaction must commit next."""
    query = "SELECT nextval('invoices_id_seq') FROM generate_series(1, %s)"
    ids = [row[0] for row in connection.execute(query, [len(invoices)])]
    _copy(connection, _LINES, _lines(ids, invoices))
    faults.point("run.after_lines")
    numbers = take_numbers(connection, len(invoices), invoices[0].issued_on.year)
    faults.point("run.after_numbers")
    _copy(connection, _INVOICES, _rows(ids, numbers, invoices))
    faults.point("run.after_invoices")
    return numbers


def _copy(connection: Connection, statement: str, rows: Iterator[Sequence[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _lines(ids: Sequence[int], invoices: Sequence[Invoice]) -> Iterator[Sequence[Any]]:
    for invoice_id, invoice in zip(ids, invoices, strict=True):
        for position, line in enumerate(invoice.draft.lines, start=1):
            yield (invoice_id, position, *line)


def _rows(ids: Sequence[int], numbers: Sequence[str], invoices: Sequence[Invoice]) -> Iterator[Sequence[Any]]:
    for invoice_id, number, invoice in zip(ids, numbers, invoices, strict=True):
        draft = invoice.draft
        yield (
            invoice_id,
            number,
            ISSUING_ENTITY,
            SERIES,
            draft.org,
            draft.month.first,
            CURRENCY,
            draft.vat_posture.value,
            invoice.language,
            invoice.issued_on,
            invoice.due_on,
            draft.net,
            draft.gross - draft.net,
            draft.gross,
            orjson.dumps(invoice.recipient).decode(),
            orjson.dumps(draft.document()).decode(),
            RULES_VERSION,
        )
