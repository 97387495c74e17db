"""What is open on an invoice is derived from its credit notes, its payments and the day."""

from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.collection.status import Status, status

DUE = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("credited", "paid", "today", "stands"),
    [
        ("0.00", "0.00", "2026-05-01", Status.OPEN),
        ("0.00", "0.00", "2026-05-02", Status.OVERDUE),
        ("0.00", "99.99", "2026-05-01", Status.PARTLY_PAID),
        ("0.00", "99.99", "2026-05-02", Status.OVERDUE),
        ("0.00", "100.00", "2027-01-01", Status.PAID),
        ("0.00", "100.01", "2026-05-01", Status.OVERPAID),
        ("40.00", "0.00", "2026-05-01", Status.OPEN),
        ("40.00", "59.99", "2026-05-02", Status.OVERDUE),
        ("40.00", "60.00", "2026-05-02", Status.PAID),
        ("40.00", "60.01", "2026-05-01", Status.OVERPAID),
        ("100.00", "0.00", "2027-01-01", Status.CREDITED),
        ("100.00", "0.01", "2027-01-01", Status.OVERPAID),
    ],
)
def test_status(credited: str, paid: str, today: str, stands: Status) -> None:
    stood = status(Decimal("100.00"), Decimal(credited), Decimal(paid), DUE, date.fromisoformat(today))
    assert stood is stands


def test_an_invoice_of_nothing_is_paid() -> None:
    assert status(Decimal("0.00"), Decimal(0), Decimal(0), DUE, date(2027, 1, 1)) is Status.PAID
