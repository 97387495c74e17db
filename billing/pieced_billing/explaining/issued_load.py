"""What was issued, read from the database."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from pieced_billing.calendar import Month
from pieced_billing.explaining.facts import Cut
from pieced_billing.explaining.issued import Issued, IssuedLine
from pieced_billing.invoicing.adjustments import Bill
from pieced_billing.invoicing.document import Kind
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.money import exact_sum
from pieced_billing.rating.lines import Line
from pieced_billing.store.connections import Connection
from pieced_billing.verification.documents import parse_then

_INVOICE: Final = """
SELECT id, number, kind, zitadel_org_id, period_start, issued_on, finalised_at, net, vat, gross, content,
       (SELECT number FROM invoices AS original WHERE original.id = document.credits), reason, stands_on::text
FROM invoices AS document WHERE number = %s
"""
_LINES: Final = """
SELECT position, days IS NOT NULL, read_to, original_position, adjusts, original_invoice_id, original.number,
       adjusted_period, returned_days, tenant_name, tenant_uid, line.kind, package, service_from, service_to, quantity,
       unit, unit_price, vat_rate, amount, coalesce(days, 0)
FROM invoice_lines AS line LEFT JOIN invoices AS original ON original.id = original_invoice_id
WHERE invoice_id = %s ORDER BY position
"""
_READ_BEFORE: Final = """
SELECT max(line.read_to) FROM invoice_lines AS line JOIN invoices AS bill ON bill.id = line.invoice_id
WHERE line.tenant_uid = %(uid)s AND bill.id < %(id)s AND bill.credits IS NULL AND NOT EXISTS (
    SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes AND credit.id < %(id)s)
"""
_CREDITED: Final = """
SELECT amount FROM invoice_lines JOIN invoices AS credit ON credit.id = invoice_id
WHERE credit.credits = (SELECT id FROM invoices WHERE number = %s) AND credit.id < %s AND original_position = %s
"""
_NUMBERS: Final = "SELECT id, number FROM invoices WHERE id = ANY(%s)"


def load_issued(connection: Connection, number: str) -> Issued:
    """The invoice or credit note with this number. Raises UnknownInvoice."""
    row = connection.execute(_INVOICE, [number]).fetchone()
    if row is None:
        raise UnknownInvoice(number)
    invoice_id, its_number, kind, org, period_start, *others, then = row
    lines = tuple(_line(record) for record in connection.execute(_LINES, [invoice_id]).fetchall())
    of_month = Month.of(period_start)
    fields: list[Any] = [invoice_id, its_number, Kind(kind), org, of_month, *others, parse_then(then), lines]
    return Issued(*fields)


def read_before(connection: Connection, issued: Issued, uid: str, original: Issued) -> Cut:
    """What the bills before this one knew of a UID: as far as they read, or what there was at the original bill."""
    row = connection.execute(_READ_BEFORE, {"uid": uid, "id": issued.invoice_id}).fetchone()
    return original.cut(None if row is None else row[0])


def credited_before(connection: Connection, note: Issued, position: int) -> Decimal:
    """What earlier credit notes took back of a line of the invoice that this one credits: zero, or less."""
    rows = connection.execute(_CREDITED, [note.credits, note.invoice_id, position]).fetchall()
    return exact_sum(amount for (amount,) in rows)


def load_numbers(connection: Connection, invoices: Sequence[int]) -> dict[int, str]:
    """The numbers of invoices."""
    return dict(connection.execute(_NUMBERS, [list(invoices)]).fetchall())


def _line(record: Sequence[Any]) -> IssuedLine:
    position, has_days, read_to, original_position, adjusts, original_id, original, period, returned, *line = record
    bill = None if adjusts is None else Bill(original_id, original, Month.of(period))
    return IssuedLine(position, Line(*line), has_days, read_to, original_position, adjusts, bill, returned)
