"""Finalised invoices and credit notes, and what is still open on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from pieced_billing.calendar import Month
from pieced_billing.collection.payments import payments_of
from pieced_billing.collection.status import Status, status
from pieced_billing.errors import Refused
from pieced_billing.invoicing.document import Kind
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.money import ZERO, amount_text
from pieced_billing.store.connections import Connection

_RECEIVABLES: Final = """
SELECT number, kind, zitadel_org_id, period_start, issued_on, due_on, gross,
    -coalesce((SELECT sum(credit.gross) FROM invoices AS credit WHERE credit.credits = invoices.id), 0),
    coalesce((SELECT sum(amount) FROM invoice_payments WHERE invoice_id = invoices.id), 0)
FROM invoices
WHERE (%(period)s::date IS NULL OR period_start = %(period)s)
    AND (%(org)s::text IS NULL OR zitadel_org_id = %(org)s)
    AND (%(number)s::text IS NULL OR number = %(number)s)
ORDER BY issuing_entity, series, length(number), number
"""
_CREDIT_NOTES: Final = """
SELECT number, issued_on, gross, reason FROM invoices
WHERE credits = (SELECT id FROM invoices WHERE number = %s) ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Receivable:
    """An invoice or credit note in one line; amounts in CHF, `credited` is what credit notes took back from it."""

    number: str
    kind: Kind
    org: str
    month: Month
    issued_on: date
    due_on: date
    gross: Decimal
    credited: Decimal
    paid: Decimal
    status: Status

    @property
    def open(self) -> Decimal:
        """What is still to be paid; nothing where more was paid."""
        return max(self.gross - self.credited - self.paid, ZERO)

    def document(self) -> dict[str, str]:
        """The line as JSON."""
        return {
            "number": self.number,
            "kind": self.kind.value,
            "org": self.org,
            "period": str(self.month),
            "issued_on": self.issued_on.isoformat(),
            "due_on": self.due_on.isoformat(),
            "gross": amount_text(self.gross),
            "credited": amount_text(self.credited),
            "paid": amount_text(self.paid),
            "open": amount_text(self.open),
            "status": self.status.value,
        }


class NotPayable(Refused):
    """A credit note is not paid by the customer."""

    code: ClassVar[str] = "not_payable"

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is a credit note; a payment is for an invoice.")


def receivables(
    connection: Connection,
    today: date,
    month: Month | None = None,
    org: str | None = None,
    number: str | None = None,
) -> Iterator[Receivable]:
    """The documents of a month, of an organisation, with a number, or all, in the order of their numbers."""
    parameters = {"period": None if month is None else month.first, "org": org, "number": number}
    for row in connection.execute(_RECEIVABLES, parameters):
        of_number, kind, of_org, period_start, issued_on, due_on, gross, credited, paid = row
        is_invoice = kind == Kind.INVOICE
        stands = status(gross, credited, paid, due_on, today) if is_invoice else Status.CREDIT_NOTE
        of_month = Month.of(period_start)
        yield Receivable(of_number, Kind(kind), of_org, of_month, issued_on, due_on, gross, credited, paid, stands)


def receivable(connection: Connection, today: date, number: str) -> Receivable:
    """The invoice or credit note with this number; raises UnknownInvoice."""
    found = next(receivables(connection, today, number=number), None)
    if found is None:
        raise UnknownInvoice(number)
    return found


def payable(connection: Connection, today: date, number: str) -> Receivable:
    """The invoice with this number; raises UnknownInvoice, and NotPayable for a credit note."""
    found = receivable(connection, today, number)
    if found.kind is not Kind.INVOICE:
        raise NotPayable(number)
    return found


def invoice_document(connection: Connection, today: date, number: str) -> dict[str, Any]:
    """One document as JSON: how it stands today, recipient and content as they were frozen, and what followed."""
    stands = receivable(connection, today, number).document()
    row = connection.execute("SELECT language, recipient, content FROM invoices WHERE number = %s", [number]).fetchone()
    assert row is not None
    language, recipient, content = row
    shown = ("number", "kind", "issued_on", "due_on", "status", "credited", "paid", "open")
    return {
        **{name: stands[name] for name in shown},
        "language": language,
        "recipient": recipient,
        **content,
        "credit_notes": [
            {"number": of, "issued_on": on.isoformat(), "gross": amount_text(gross), "reason": reason}
            for of, on, gross, reason in connection.execute(_CREDIT_NOTES, [number])
        ],
        "payments": [
            {"on": payment.paid_on.isoformat(), "amount": amount_text(payment.amount), "reference": payment.reference}
            for payment in payments_of(connection, number)
        ],
    }
