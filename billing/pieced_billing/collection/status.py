"""What is open on an invoice: derived from its payments, never stored."""

from datetime import date
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """Where an invoice stands on a day."""

    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    OVERDUE = "overdue"
    OVERPAID = "overpaid"


def status(gross: Decimal, paid: Decimal, due_on: date, today: date) -> Status:
    """The status of an invoice of `gross` CHF, of which `paid` CHF came in; overdue from the day after `due_on`."""
    if paid > gross:
        return Status.OVERPAID
    if paid == gross:
        return Status.PAID
    if today > due_on:
        return Status.OVERDUE
    return Status.PARTLY_PAID if paid else Status.OPEN
