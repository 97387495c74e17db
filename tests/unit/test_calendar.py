"""Months, days of a zone, and sets of days."""

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pieced_billing.calendar import (
    DEFAULT_ZONE,
    Month,
    MonthDays,
    first_day,
    from_microseconds,
    last_day,
    local_date,
    to_microseconds,
)

HOUR = 3_600 * 10**6
MARCH = MonthDays(Month(2026, 3), DEFAULT_ZONE)


def at(text: str) -> int:
    return to_microseconds(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("month", "day", "day_hours", "month_hours"), [("2026-03", 29, 23, 743), ("2026-10", 25, 25, 745)]
)
def test_rule_1_a_day_is_as_long_as_the_clocks_make_it(month: str, day: int, day_hours: int, month_hours: int) -> None:
    days = MonthDays(Month.parse(month), DEFAULT_ZONE)
    assert days.bounds[day] - days.bounds[day - 1] == day_hours * HOUR
    assert days.end - days.start == month_hours * HOUR


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2025-12-31T23:00:00Z", date(2026, 1, 1)),
        ("2025-12-31T22:59:59.999999Z", date(2025, 12, 31)),
        ("2026-06-30T22:00:00Z", date(2026, 7, 1)),
    ],
)
def test_rule_1_an_instant_falls_on_its_local_day(instant: str, day: date) -> None:
    assert local_date(datetime.fromisoformat(instant), DEFAULT_ZONE) == day
    days = MonthDays(Month.of(day), DEFAULT_ZONE)
    index = days.index(at(instant))
    assert index is not None
    assert days.dates[index] == day


def test_rule_1_where_midnight_is_skipped_the_day_begins_when_the_clocks_change() -> None:
    days = MonthDays(Month(2018, 11), ZoneInfo("America/Sao_Paulo"))  # 2018-11-04 began at 01:00 there
    assert from_microseconds(days.bounds[3]) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert days.bounds[4] - days.bounds[3] == 23 * HOUR


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-03-10T00:00:00+01:00", "2026-03-11T00:00:00+01:00", [10]),
        ("2026-03-10T00:00:00+01:00", "2026-03-11T00:00:00.000001+01:00", [10, 11]),
        ("2026-03-09T23:59:59.999999+01:00", "2026-03-10T00:00:00+01:00", [9]),
        ("2026-03-10T12:00:00+01:00", "2026-03-10T12:00:00+01:00", []),
        ("2026-03-10T12:00:00+01:00", "2026-03-09T12:00:00+01:00", []),
        ("2026-03-20T12:00:00+01:00", "2026-03-09T12:00:00+01:00", []),
        ("2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", []),
        ("2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00.000001+01:00", [1]),
        ("2026-03-31T23:59:59.999999+02:00", "2026-05-01T00:00:00+02:00", [31]),
        ("2026-04-01T00:00:00+02:00", "2026-05-01T00:00:00+02:00", []),
        ("2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00", list(range(1, 32))),
    ],
)
def test_rule_5_a_day_is_touched_by_any_time_above_zero(start: str, end: str, days: list[int]) -> None:
    touched = MARCH.touched(at(start), at(end))
    assert [index + 1 for index in range(40) if touched >> index & 1] == days


def test_an_instant_outside_the_month_falls_on_none_of_its_days() -> None:
    assert [MARCH.index(at) for at in (MARCH.start - 1, MARCH.start, MARCH.end - 1, MARCH.end)] == [None, 0, 30, None]


def test_a_set_of_days_has_a_first_and_a_last() -> None:
    days = MARCH.touched(at("2026-03-03T10:00:00Z"), at("2026-03-20T10:00:00Z"))
    assert (first_day(days), last_day(days)) == (2, 19)


@pytest.mark.parametrize(
    ("day", "first"), [(date(2026, 2, 1), 1), (date(2026, 3, 1), 1), (date(2026, 3, 20), 20), (date(2026, 4, 1), None)]
)
def test_the_days_from_a_date_on(day: date, first: int | None) -> None:
    days = MARCH.days_from(day)
    assert days == (0 if first is None else MARCH.every_day >> (first - 1) << (first - 1))


def test_instants_go_to_microseconds_and_back() -> None:
    instant = datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC)
    assert from_microseconds(to_microseconds(instant)) == instant
    assert to_microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    with pytest.raises(ValueError, match="needs an offset"):
        to_microseconds(datetime(2026, 3, 1))  # noqa: DTZ001 - a naive one is what is refused


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-00", "2026-3", "26-03", "2026-03-01", "", "march", "٢٠٢٦-٠٣", "2026-03\n", "1969-12", "9999-01"],
)
def test_what_is_not_a_month_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="write it as YYYY-MM, such as 2026-03"):
        Month.parse(text)


def test_the_first_and_the_last_month_that_can_be_billed() -> None:
    assert (Month.parse("1970-01"), Month.parse("9998-12")) == (Month(1970, 1), Month(9998, 12))


def test_a_month_is_a_value() -> None:
    assert {Month(2026, 3): "March"}[Month.parse("2026-03")] == "March"
    with pytest.raises(FrozenInstanceError):
        Month(2026, 3).number = 4  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        MARCH.month = Month(2026, 4)  # type: ignore[misc]


def test_months_are_ordered_and_follow_each_other() -> None:
    assert [Month(2027, number).previous for number in (1, 2, 12)] == [Month(2026, 12), Month(2027, 1), Month(2027, 11)]
    assert Month(2026, 1).previous == Month(2025, 12)
    december = Month.parse("2026-12")
    assert (december.next, december.first, december.last) == (Month(2027, 1), date(2026, 12, 1), date(2026, 12, 31))
    assert Month(2024, 2).last == date(2024, 2, 29)
    assert Month(2026, 9) < Month(2026, 10) < december.next
    assert str(Month.of(date(2026, 3, 31))) == "2026-03"
    assert Month(2026, 2).dates[-1] - Month(2026, 2).dates[0] == timedelta(days=27)
