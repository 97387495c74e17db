"""Payments of invoices: recorded once by their reference, never changed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from pieced_billing.errors import Refused
from pieced_billing.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in for an invoice: `amount` in CHF, on a day, known by a reference of ours or the bank's."""

    number: str
    paid_on: date
    amount: Decimal
    reference: str

    def __str__(self) -> str:
        return f"CHF {self.amount:.2f} on {self.paid_on} for {self.number}"


class PaymentInFuture(Refused):
    """A payment is recorded when it has happened."""

    code: ClassVar[str] = "payment_in_future"

    def __init__(self, paid_on: date, today: date) -> None:
        super().__init__(f"A payment on {paid_on} is in the future; today is {today}.")


class AmountNotPositive(Refused):
    """A payment is money that came in."""

    code: ClassVar[str] = "amount_not_positive"

    def __init__(self) -> None:
        super().__init__("A payment is more than CHF 0.00.")


class ReferenceTaken(Refused):
    """A reference names one payment; the same one with other content is a mistake in either."""

    code: ClassVar[str] = "reference_taken"

    def __init__(self, payment: Payment, recorded: Payment) -> None:
        super().__init__(
            f"Reference {payment.reference!r} is {recorded} already, not {payment}; "
            "a payment for several invoices needs a reference for each."
        )


def record_payment(connection: Connection, payment: Payment, today: date) -> bool:
    """Record a payment in the caller's transaction; False where exactly this one is recorded already.

    More than is open is accepted: the money did come in, and the invoice is then overpaid. The invoice must exist.
    Raises PaymentInFuture, AmountNotPositive and ReferenceTaken.
    """
    if payment.paid_on > today:
        raise PaymentInFuture(payment.paid_on, today)
    if payment.amount <= 0:
        raise AmountNotPositive
    inserted = connection.execute(
        "INSERT INTO invoice_payments (invoice_id, paid_on, amount, reference)"
        " VALUES ((SELECT id FROM invoices WHERE number = %s), %s, %s, %s) ON CONFLICT (reference) DO NOTHING",
        [payment.number, payment.paid_on, payment.amount, payment.reference],
    )
    if inserted.rowcount == 1:
        return True
    recorded = _by_reference(connection, payment.reference)
    if recorded != payment:
        raise ReferenceTaken(payment, recorded)
    return False


def payments_of(connection: Connection, number: str) -> list[Payment]:
    """The payments of an invoice, by day and then as they were recorded."""
    rows = connection.execute(
        "SELECT number, paid_on, amount, reference FROM invoice_payments JOIN invoices ON invoices.id = invoice_id"
        " WHERE number = %s ORDER BY paid_on, invoice_payments.id",
        [number],
    )
    return [Payment(*row) for row in rows]


def _by_reference(connection: Connection, reference: str) -> Payment:
    row = connection.execute(
        "SELECT number, paid_on, amount, reference FROM invoice_payments JOIN invoices ON invoices.id = invoice_id"
        " WHERE reference = %s",
        [reference],
    ).fetchone()
    assert row is not None
    return Payment(*row)
