"""What is open on an invoice is derived from its payments and the day."""

from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.collection.status import Status, status

DUE = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("paid", "today", "stands"),
    [
        ("0.00", "2026-05-01", Status.OPEN),
        ("0.00", "2026-05-02", Status.OVERDUE),
        ("99.99", "2026-05-01", Status.PARTLY_PAID),
        ("99.99", "2026-05-02", Status.OVERDUE),
        ("100.00", "2027-01-01", Status.PAID),
        ("100.01", "2026-05-01", Status.OVERPAID),
    ],
)
def test_status(paid: str, today: str, stands: Status) -> None:
    assert status(Decimal("100.00"), Decimal(paid), DUE, date.fromisoformat(today)) is stands


def test_an_invoice_of_nothing_is_paid() -> None:
    assert status(Decimal("0.00"), Decimal(0), DUE, date(2027, 1, 1)) is Status.PAID
