"""Rule 17: what a finalised period was billed and what it should have been, compared charge by charge."""

from datetime import date
from decimal import Decimal

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import Adjustment, Bill, BilledLine, adjustments
from pieced_billing.rating.lines import Line
from tests.billed_months import BilledMonths
from tests.ledger_lines import ORG, created, deleted, enabled, spent
from tests.oracle.bill import Books
from tests.unit.rated import ORGS, PACKAGES, PLATFORM

MARCH = Bill(7, "INV-2026-000001", Month(2026, 3))
RATE = Decimal("8.1")


def days_line(days: int, price: str = "1.00", package: str = "p") -> Line:
    """A line of package days on these days of March, as a set of bits."""
    count, on = days.bit_count(), date(2026, 3, 1)
    amount = Decimal(price) * count
    once = (Decimal(count), "day", Decimal(price), RATE, amount, days)
    return Line("acme", "6f1c", "package_days", package, on, on, *once)


def billed(*lines: Line) -> list[BilledLine]:
    """These lines as the bill has them."""
    return [BilledLine(7, position, line.kind, line, 0) for position, line in enumerate(lines, start=1)]


def as_billed(adjustment: Adjustment, invoice_id: int) -> BilledLine:
    """An adjustment once it stands on a bill."""
    return BilledLine(invoice_id, 1, adjustment.charge, adjustment.line, adjustment.returned)


def test_rule_17_each_line_has_the_days_that_it_bills() -> None:
    lines = [
        created("2026-03-03T10:00:00Z"),
        enabled("2026-03-05T10:00:00Z"),
        spent("1", "2026-03-07T10:00:00Z"),
        spent("1", "2026-03-09T10:00:00Z"),
        deleted("2026-03-10T10:00:00Z"),
    ]
    draft = BilledMonths(ORG).bill(MARCH.month, Books(lines, PLATFORM, PACKAGES, ORGS))
    assert draft is not None
    assert [(line.kind, [day + 1 for day in range(31) if line.days >> day & 1]) for line in draft.lines] == [
        ("tenant_setup_fee", [3]),
        ("tenant_monthly_fee", [3, 4, 5, 6, 7, 8, 9, 10]),
        ("package_setup_fee", [5]),
        ("package_days", [5, 6, 7, 8, 9, 10]),
        ("llm_spend", [7, 9]),
    ]


def test_rule_17_what_is_right_is_not_adjusted() -> None:
    assert list(adjustments(MARCH, billed(days_line(0b0110)), [days_line(0b0110)])) == []
    assert list(adjustments(MARCH, [], [])) == []


def test_rule_17_days_that_come_late_and_days_that_go() -> None:
    (more,) = adjustments(MARCH, billed(days_line(0b0110)), [days_line(0b1111_0110)])
    assert more.document() == {
        "adjusts": "package_days",
        "original_period": "2026-03",
        "original_invoice": "INV-2026-000001",
        "original_line": 1,
        "billed": "2.00",
        "correct": "6.00",
    }
    assert (more.line.kind, more.line.quantity, more.line.unit_price, more.line.amount) == (
        "adjustment",
        Decimal(4),
        Decimal("1.00"),
        Decimal("4.00"),
    )
    assert (more.line.days, more.returned) == (0b1111_0000, 0)
    assert (more.line.service_from.day, more.line.service_to.day) == (5, 8)
    (less,) = adjustments(MARCH, billed(days_line(0b0110)), [days_line(0b0010)])
    assert (str(less.line.amount), str(less.line.quantity), less.line.days, less.returned) == ("-1.00", "-1", 0, 0b0100)
    (gone,) = adjustments(MARCH, billed(days_line(0b0110)), [])
    assert (str(gone.correct), str(gone.line.amount), gone.returned) == ("0.00", "-2.00", 0b0110)


def test_rule_17_a_charge_that_no_line_billed_has_no_original_line() -> None:
    (new,) = adjustments(MARCH, billed(days_line(1)), [days_line(1), days_line(2, package="other")])
    assert (new.original_line, new.line.package, str(new.billed), str(new.correct)) == (None, "other", "0.00", "1.00")


def test_rule_17_what_was_adjusted_is_not_adjusted_again() -> None:
    was, right = billed(days_line(0b0110)), [days_line(0b1010)]
    assert list(adjustments(MARCH, was, right)) == []  # as many days at the same price: nothing is owed
    (first,) = adjustments(MARCH, was, [days_line(0b1110)])
    assert list(adjustments(MARCH, [*was, as_billed(first, 8)], [days_line(0b1110)])) == []
    (second,) = adjustments(MARCH, [*was, as_billed(first, 8)], [days_line(0b0100)])
    assert (str(second.billed), str(second.correct), second.original_line) == ("3.00", "1.00", 1)
    assert (second.line.days, second.returned) == (0, 0b1010)


def test_rule_17_another_price_is_another_charge() -> None:
    found = list(adjustments(MARCH, billed(days_line(1, "2.00")), [days_line(1, "3.00")]))
    assert [(str(one.line.unit_price), str(one.line.amount)) for one in found] == [("3.00", "3.00"), ("2.00", "-2.00")]


def test_rule_17_another_vat_rate_is_another_charge() -> None:
    was, right = days_line(1), days_line(1)._replace(vat_rate=Decimal(0))
    found = list(adjustments(MARCH, billed(was), [right]))
    assert [(str(one.line.vat_rate), str(one.line.amount)) for one in found] == [("0", "1.00"), ("8.1", "-1.00")]


def test_rule_17_a_day_that_was_given_back_may_be_billed_again() -> None:
    was = billed(days_line(0b0110))
    (less,) = adjustments(MARCH, was, [days_line(0b0010)])
    (again,) = adjustments(MARCH, [*was, as_billed(less, 8)], [days_line(0b0110)])
    assert (str(again.line.amount), again.line.days, again.returned) == ("1.00", 0b0100, 0)


def test_rule_17_what_was_only_given_back_is_taken_back_with_its_dates() -> None:
    (less,) = adjustments(MARCH, billed(days_line(0b0110)), [days_line(0b0010)])
    (taken_back,) = adjustments(MARCH, [as_billed(less, 8)], [])
    assert (str(taken_back.line.amount), taken_back.line.days, taken_back.returned) == ("1.00", 0, 0)
    assert taken_back.original_line is None
    assert taken_back.line.service_from == less.line.service_from == date(2026, 3, 3)
