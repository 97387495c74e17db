"""What is open on an invoice: derived from its credit notes and payments, never stored."""

from datetime import date
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """Where an invoice stands on a day; a credit note is one on every day."""

    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    OVERDUE = "overdue"
    OVERPAID = "overpaid"
    CREDITED = "credited"
    CREDIT_NOTE = "credit_note"


def status(gross: Decimal, credited: Decimal, paid: Decimal, due_on: date, today: date) -> Status:
    """The status of an invoice of `gross` CHF, of which `credited` CHF were taken back and `paid` CHF came in.

    Overdue from the day after `due_on`; overpaid where more came in than is owed now; credited where nothing is owed
    any more and nothing came in.
    """
    owed = gross - credited
    if paid > owed:
        return Status.OVERPAID
    if paid == owed:
        return Status.CREDITED if credited and not paid else Status.PAID
    if today > due_on:
        return Status.OVERDUE
    return Status.PARTLY_PAID if paid else Status.OPEN
