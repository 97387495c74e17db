"""Finalised invoices and what is still open on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from pieced_billing.calendar import Month
from pieced_billing.collection.payments import payments_of
from pieced_billing.collection.status import Status, status
from pieced_billing.errors import Refused
from pieced_billing.money import ZERO, amount_text
from pieced_billing.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Receivable:
    """A finalised invoice in one line; amounts in CHF."""

    number: str
    org: str
    month: Month
    issued_on: date
    due_on: date
    gross: Decimal
    paid: Decimal
    status: Status

    @property
    def open(self) -> Decimal:
        """What is still to be paid; nothing where more was paid."""
        return max(self.gross - self.paid, ZERO)

    def document(self) -> dict[str, str]:
        """The line as JSON."""
        return {
            "number": self.number,
            "org": self.org,
            "period": str(self.month),
            "issued_on": self.issued_on.isoformat(),
            "due_on": self.due_on.isoformat(),
            "gross": amount_text(self.gross),
            "paid": amount_text(self.paid),
            "open": amount_text(self.open),
            "status": self.status.value,
        }


class UnknownInvoice(Refused):
    """There is no invoice with this number."""

    code: ClassVar[str] = "unknown_invoice"

    def __init__(self, number: str) -> None:
        super().__init__(f"There is no invoice {number!r}; numbers look like INV-2026-000001.")


def receivables(
    connection: Connection,
    today: date,
    month: Month | None = None,
    org: str | None = None,
    number: str | None = None,
) -> Iterator[Receivable]:
    """The invoices of a month, of an organisation, with a number, or all, in the order of their numbers."""
    rows = connection.execute(
        "SELECT number, zitadel_org_id, period_start, issued_on, due_on, gross, coalesce(sum(amount), 0)"
        " FROM invoices LEFT JOIN invoice_payments ON invoice_id = invoices.id"
        " WHERE (%(period)s::date IS NULL OR period_start = %(period)s)"
        " AND (%(org)s::text IS NULL OR zitadel_org_id = %(org)s)"
        " AND (%(number)s::text IS NULL OR number = %(number)s)"
        " GROUP BY invoices.id ORDER BY issuing_entity, series, length(number), number",
        {"period": None if month is None else month.first, "org": org, "number": number},
    )
    for of_number, of_org, period_start, issued_on, due_on, gross, paid in rows:
        stands = status(gross, paid, due_on, today)
        yield Receivable(of_number, of_org, Month.of(period_start), issued_on, due_on, gross, paid, stands)


def receivable(connection: Connection, today: date, number: str) -> Receivable:
    """The invoice with this number; raises UnknownInvoice."""
    found = next(receivables(connection, today, number=number), None)
    if found is None:
        raise UnknownInvoice(number)
    return found


def invoice_document(connection: Connection, today: date, number: str) -> dict[str, Any]:
    """One invoice as JSON: what stands today, the recipient and the draft as they were frozen, and the payments."""
    stands = receivable(connection, today, number).document()
    row = connection.execute("SELECT language, recipient, content FROM invoices WHERE number = %s", [number]).fetchone()
    assert row is not None
    language, recipient, content = row
    return {
        **{name: stands[name] for name in ("number", "issued_on", "due_on", "status", "paid", "open")},
        "language": language,
        "recipient": recipient,
        **content,
        "payments": [
            {"on": payment.paid_on.isoformat(), "amount": amount_text(payment.amount), "reference": payment.reference}
            for payment in payments_of(connection, number)
        ],
    }
