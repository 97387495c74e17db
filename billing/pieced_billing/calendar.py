"""Months and days of the billing zone, and instants as integers.

Inside the pure core an instant is a whole number of microseconds since 1970-01-01T00:00Z, and a set of days of one
month is an integer in which bit *i* is the day with index *i* (the 1st is 0). What a bill asks of time is then
arithmetic: union, intersection, `bit_count`, lowest and highest bit.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Final, Self, TypeAlias
from zoneinfo import ZoneInfo

Microseconds: TypeAlias = int
"""An instant: microseconds since 1970-01-01T00:00Z."""

DaySet: TypeAlias = int
"""Days of one month: bit *i* is the day with index *i*."""

DEFAULT_ZONE: Final = ZoneInfo("Europe/Zurich")

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9998
"""The years of which months can be billed: those whose next month there is, too, and whose days are after the epoch."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MONTH_TEXT: Final = re.compile(r"([0-9]{4})-([0-9]{2})")


def to_microseconds(instant: datetime) -> Microseconds:
    """Microseconds since the epoch of an aware instant; ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs an offset: {instant.isoformat()}")
    return (instant - _EPOCH) // _MICROSECOND


def from_microseconds(instant: Microseconds) -> datetime:
    """The aware UTC instant of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=instant)


def day_start(day: date, zone: ZoneInfo) -> Microseconds:
    """The first instant of a local day (rule 1)."""
    return to_microseconds(datetime.combine(day, time.min, zone).astimezone(UTC))


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The local date in `zone` on which an aware instant falls (rule 1)."""
    return instant.astimezone(zone).date()


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written 2026-03. As a billing period it is cut in the billing zone (rule 1)."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The month written as YYYY-MM, from FIRST_YEAR to LAST_YEAR; ValueError with a sentence for anything else."""
        match = _MONTH_TEXT.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= 12 or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            bounds = f"from {FIRST_YEAR}-01 to {LAST_YEAR}-12"
            raise ValueError(f"{text!r} is not a month {bounds}; write it as YYYY-MM, such as 2026-03.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """The month that a day lies in."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first(self) -> date:
        """The 1st of the month."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """The last day of the month."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Month":
        """The month after this one."""
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)

    @property
    def previous(self) -> "Month":
        """The month before this one."""
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    @property
    def dates(self) -> tuple[date, ...]:
        """The days of the month, ascending."""
        return tuple(date(self.year, self.number, day) for day in range(1, self.last.day + 1))


@dataclass(frozen=True)
class MonthDays:
    """The days of one month in one zone: where each begins and ends, and which of them a stretch of time touches."""

    month: Month
    zone: ZoneInfo

    @cached_property
    def dates(self) -> tuple[date, ...]:
        """The local dates of the month; `dates[i]` is the day of bit *i*."""
        return self.month.dates

    @cached_property
    def bounds(self) -> tuple[Microseconds, ...]:
        """The first instants of the days, and of the day after the last."""
        return tuple(day_start(day, self.zone) for day in (*self.dates, self.month.next.first))

    @property
    def start(self) -> Microseconds:
        """The first instant of the month."""
        return self.bounds[0]

    @property
    def end(self) -> Microseconds:
        """The first instant after the month."""
        return self.bounds[-1]

    @cached_property
    def every_day(self) -> DaySet:
        """All days of the month."""
        return (1 << len(self.dates)) - 1

    def touched(self, start: Microseconds, end: Microseconds) -> DaySet:
        """The days of this month in which `[start, end)` has a length above zero (rule 5)."""
        if start >= end:
            return 0
        first = bisect_right(self.bounds, start)  # 1 is the first day of the month, 0 the time before it
        last = bisect_left(self.bounds, end)
        return ((2 << last) - (1 << first)) >> 1 & self.every_day

    def index(self, instant: Microseconds) -> int | None:
        """The index of the day that an instant falls on, or None outside the month."""
        index = bisect_right(self.bounds, instant) - 1
        return index if 0 <= index < len(self.dates) else None

    def days_from(self, day: date) -> DaySet:
        """The days of this month that are not before `day`."""
        return self.every_day & ~((1 << bisect_left(self.dates, day)) - 1)


def first_day(days: DaySet) -> int:
    """The index of the first day of a set that is not empty."""
    return (days & -days).bit_length() - 1


def last_day(days: DaySet) -> int:
    """The index of the last day of a set that is not empty."""
    return days.bit_length() - 1
