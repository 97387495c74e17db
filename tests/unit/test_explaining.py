"""What a line is explained by: arithmetic, the reason of each day, and what was known."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pieced_billing.calendar import Month
from pieced_billing.explaining.adjusted import explain_adjustment
from pieced_billing.explaining.agreement import counterpart, differs_from_document, differs_from_ledger
from pieced_billing.explaining.arithmetic import difference, unrounded
from pieced_billing.explaining.days import Why
from pieced_billing.explaining.evidence import Evidence
from pieced_billing.explaining.facts import Cut, by_cut
from pieced_billing.explaining.issued import Issued, IssuedLine, UnknownLine
from pieced_billing.explaining.line import Explained, explain_line
from pieced_billing.explaining.totals import explain_totals
from pieced_billing.invoicing.adjustments import Bill, BilledLine, adjustments
from pieced_billing.invoicing.document import Kind as Document
from pieced_billing.invoicing.draft import line_document
from pieced_billing.ledger.events import Kind
from pieced_billing.rating.lines import Line
from tests.evidence import evidence_of, without
from tests.ledger_lines import ORG, created, deleted, disabled, enabled, resumed, spent, suspended
from tests.oracle.bill import Books, Question
from tests.unit.rated import ORGS, PACKAGES, PLATFORM

STORY = (
    created("2026-03-03T12:00:00Z"),
    enabled("2026-03-05T12:00:00Z"),
    disabled("2026-03-09T12:00:00Z"),
    suspended("2026-03-11T00:00:00+01:00"),
    resumed("2026-03-14T12:00:00Z"),
    spent("1.5", "2026-03-20T12:00:00Z"),
    spent("2", "2026-03-21T12:00:00Z"),
    deleted("2026-03-25T12:00:00Z"),
)


def evidence(*lines: Mapping[str, Any], **wanted: Any) -> Evidence:
    books = Books(lines or STORY, wanted.pop("platform", PLATFORM), wanted.pop("packages", PACKAGES), ORGS)
    [(_, found)] = evidence_of(
        books, Question(ORG, "2026-03", "Europe/Zurich", wanted.pop("billing_start", None), None)
    )
    return found


def explained(of: Evidence, kind: str, place: int = 0) -> Explained:
    return explain_line([line for line in of.lines if line.kind == kind][place], of)


def numbers(days: tuple[date, ...]) -> list[int]:
    return [day.day for day in days]


def test_each_day_of_a_package_is_billed_or_has_a_reason() -> None:
    days = explained(evidence(), "package_days")
    assert numbers(days.days) == [5, 6, 7, 8, 9]
    assert {why: numbers(of) for why, of in days.other_days.items()} == {
        Why.BEFORE_CREATION: [1, 2],
        Why.AFTER_DELETION: [26, 27, 28, 29, 30, 31],
        Why.SUSPENDED: [11, 12, 13],
        Why.PACKAGE_OFF: [3, 4, 10, *range(14, 26)],
    }
    assert [one.event.kind for one in days.events] == [Kind.CREATED, Kind.ENABLED, Kind.DISABLED]


def test_a_day_of_another_price_of_no_price_and_before_the_billing_start() -> None:
    platform = [*PLATFORM, {"from": date(2026, 3, 20), "tenant_monthly_fee_chf": "62.00"}]
    packages = {"search": [*PACKAGES["search"], {"from": date(2026, 3, 8), "daily_price_chf": None}]}
    found = evidence(platform=platform, packages=packages, billing_start=date(2026, 3, 7))
    fee = explained(found, "tenant_monthly_fee")
    assert numbers(fee.days) == [7, 8, 9, 10, *range(14, 20)]
    assert numbers(fee.other_days[Why.OTHER_LINE]) == list(range(20, 26))
    assert numbers(fee.other_days[Why.BEFORE_BILLING_START]) == list(range(1, 7))
    assert fee.arithmetic == ("31.00 × 10 ÷ 31", "10", 12)
    package = explained(found, "package_days")
    assert (numbers(package.days), numbers(package.other_days[Why.NO_PRICE])) == ([7], [8, 9])


def test_a_fee_of_once_and_usage() -> None:
    fee = explained(evidence(), "tenant_setup_fee")
    assert (numbers(fee.days), list(fee.other_days), fee.arithmetic.rule) == ([3], [Why.CHARGED_ONCE], None)
    assert [one.event.kind for one in fee.events] == [Kind.CREATED]
    spend = explained(evidence(), "llm_spend")
    assert (numbers(spend.days), list(spend.other_days), spend.events) == ([20, 21], [Why.UNUSED], ())
    assert [(used.on.day, used.quantity) for used in spend.usage] == [(20, Decimal("1.5")), (21, Decimal(2))]
    assert spend.arithmetic == ("1.00 × 3.5", "3.5", 12)


def test_what_came_later_is_named_and_not_counted() -> None:
    before = without(evidence(), Kind.DELETED, Kind.DISABLED)
    fee, package = explained(before, "tenant_monthly_fee"), explained(before, "package_days")
    assert (len(fee.days), len(package.days)) == (26, 24)
    assert [one.event.kind for one in fee.later.events] == [Kind.DELETED]
    assert [one.event.kind for one in package.later.events] == [Kind.DISABLED, Kind.DELETED]
    assert explained(before, "llm_spend").later.events == ()


def test_a_link_decides_what_was_known_and_the_time_only_where_there_is_none() -> None:
    events = evidence().known.facts.events
    early, late = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    known, arrived, later = by_cut(events, Cut(3, early), Cut(1, late))
    assert [[one.link for one in of] for of in (known, arrived, later)] == [[0, 1, 2, 3], [2, 3], [4, 10_000]]
    assert [len(of) for of in by_cut(events, Cut(None, early), None)] == [0, 0, 6]
    assert [len(of) for of in by_cut(events, Cut(None, late), None)] == [6, 0, 0]


@pytest.mark.parametrize(
    ("numerator", "divisor", "shown"),
    [
        ("598.80", 31, "19.316129…"),
        ("3", 2, "1.5"),
        ("-1", 3, "-0.333333…"),
        ("0.0000005", 1, "0.000000…"),
        ("9", 3, "3"),
    ],
)
def test_a_quotient_is_shown_to_six_decimals(numerator: str, divisor: int, shown: str) -> None:
    assert unrounded(Decimal(numerator), divisor) == shown


def test_a_difference_is_written_as_one() -> None:
    assert difference(Decimal("12.50"), Decimal("10.00")).formula == "12.50 − 10.00"
    assert difference(Decimal("0.00"), Decimal("-0.20")).formula == "0.00 + 0.20"


def test_a_line_that_was_changed_differs_from_the_ledger_and_from_its_document() -> None:
    again = evidence().lines
    right = again[1]
    assert differs_from_ledger(right, counterpart(right, again)) == []
    changed = right._replace(amount=right.amount + 1)
    amounts = right.amount + 1, right.amount
    assert differs_from_ledger(changed, counterpart(changed, again)) == [
        "amount is {}, the ledger gives {}".format(*amounts)
    ]
    assert differs_from_document(changed, line_document(right)) == [
        "amount is {}, the document says {}".format(*amounts)
    ]
    moved = right._replace(days=right.days ^ 0b11000)
    assert differs_from_ledger(moved, counterpart(moved, again)) == ["its days are not those that the ledger gives"]
    assert differs_from_ledger(right, None) == ["the ledger gives no such line"]


def adjusting(after: Evidence, before: Evidence, **changed: Any) -> tuple[Any, list[str]]:
    """The adjustment of the package's days, from what was billed before to what is right after."""
    bill = Bill(7, "INV-2026-000001", Month(2026, 3))
    billed = [BilledLine(7, place, line.kind, line, 0) for place, line in enumerate(before.lines, start=1)]
    (made,) = (one for one in adjustments(bill, billed, after.lines) if one.charge == "package_days")
    line = made.line._replace(**changed)
    stored = IssuedLine(1, line, True, 9, made.original_line, made.charge, bill, made.returned)
    return explain_adjustment(stored, bill, after, billed, {7: bill.number}, taken_back=False)


def test_an_adjustment_says_what_was_billed_what_is_right_and_from_which_lines() -> None:
    adjusted, differences = adjusting(evidence(), without(evidence(), Kind.DISABLED))
    assert differences == []
    assert adjusted.arithmetic.formula == "0.50 − 1.80"
    assert [one.document() for one in adjusted.billed] == [
        {"invoice": "INV-2026-000001", "line": 4, "amount": "1.80"},
    ]
    assert [numbers(one.days) for one in adjusted.correct] == [[5, 6, 7, 8, 9]]
    _, differences = adjusting(evidence(), without(evidence(), Kind.DISABLED), amount=Decimal("-1.00"))
    assert differences == ["amount is -1.00, the ledger gives -1.30"]


def issued(*lines: Line, **changed: Any) -> Issued:
    """An invoice of these lines, with the sums that it has if nothing is changed."""
    net = sum((line.amount for line in lines), Decimal(0))
    content = {"lines": [], "net": f"{net:.2f}", "gross": changed.pop("frozen_gross", "138.37")}
    content["vat"] = [{"rate": "8.1", "net": content["net"], "amount": changed.pop("tax", "10.37")}]
    fields: dict[str, Any] = {"net": net, "vat": Decimal("10.37"), "gross": Decimal("138.37")} | changed
    stored = (IssuedLine(place, line, True, 9, None, None, None, 0) for place, line in enumerate(lines, 1))
    now = datetime(2026, 4, 1, tzinfo=UTC)
    head = (7, "INV-2026-000001", Document.INVOICE, ORG, Month(2026, 3), now.date(), now)
    return Issued(*head, **fields, content=content, credits=None, reason=None, then=None, lines=tuple(stored))


def test_vat_and_total_are_the_sums_of_the_lines() -> None:
    lines = evidence().lines
    totals = explain_totals(issued(*lines))
    (vat,) = totals.vat
    assert (totals.differences, vat.positions) == ((), (1, 2, 3, 4, 5))
    assert (vat.arithmetic, vat.is_rest) == (("128.00 × 8.1 ÷ 100", "10.368", 15), False)
    wrong = explain_totals(issued(*lines, gross=Decimal("150.00"))).differences
    assert wrong == ("gross is 150.00, its parts add up to 138.37", "gross is 150.00, the document says 138.37")
    with pytest.raises(UnknownLine, match="has no line 6; its lines are 1 to 5"):
        issued(*lines).at(6)
