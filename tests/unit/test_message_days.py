"""From the messages that the Threema relay counted on a day to records."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pieced_billing.calendar import DEFAULT_ZONE, day_start, to_microseconds
from pieced_billing.usage.coverage import Life
from pieced_billing.usage.message_days import RecordedDay, message_records

DAY = date(2026, 3, 29)  # of 23 hours
START = day_start(DAY, DEFAULT_ZONE)
LIVES = [Life("u", 0, None, None)]


def records(
    messages: int, known: RecordedDay | None = None
) -> list[tuple[str, Decimal | None, str | None, str | None]]:
    lines = message_records("acme", {DAY: messages}, {DAY: known} if known else {}, LIVES, DEFAULT_ZONE)
    assert {line.at for line in lines} <= {START}
    return [(line.uid, line.quantity, line.usage_id, line.corrects) for line in lines]


@pytest.mark.parametrize(
    ("messages", "known", "expected"),
    [
        (0, None, []),
        (12, None, [("u", Decimal(12), "acme/2026-03-29", None)]),
        (12, RecordedDay("u", "a", 1, Decimal(12)), []),
        (14, RecordedDay("u", "a", 1, Decimal(12)), [("u", Decimal(2), "a/2", None)]),
        (11, RecordedDay("u", "a", 2, Decimal(14)), [("u", Decimal(-3), "a/3", "a")]),
        (0, RecordedDay("before", "a", 1, Decimal(14)), [("before", Decimal(-14), "a/2", "a")]),
    ],
)
def test_a_day_is_recorded_once_and_then_by_what_differs(
    messages: int, known: RecordedDay | None, expected: list[tuple[str, Decimal, str, str | None]]
) -> None:
    assert records(messages, known) == expected


def test_a_day_of_two_lives_belongs_to_the_second() -> None:
    noon = to_microseconds(datetime(2026, 3, 29, 10, tzinfo=UTC))
    lives = [Life("first", 0, noon - 1, None), Life("second", noon, None, None)]
    (line,) = message_records("acme", {DAY: 3}, {}, lives, DEFAULT_ZONE)
    assert (line.uid, line.at) == ("second", noon)
