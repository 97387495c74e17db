"""Which days of a month a line bills, and why it does not bill the others."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from pieced_billing.calendar import DaySet, MonthDays
from pieced_billing.explaining.stretches import Stretches, touched


class Why(StrEnum):
    """Why a line does not bill a day, in the order in which reasons are tried."""

    BEFORE_BILLING_START = "before_billing_start"
    """Nothing is billed on such a day (rule 18)."""
    TO_COME = "to_come"
    """The month is explained to date, and the day has not begun."""
    OTHER_LINE = "other_line"
    """The day counts, at another price or VAT rate: another line has it (rule 11), unless it comes to 0.00."""
    NO_PRICE = "no_price"
    """The day counts and is free (rule 8)."""
    CHARGED_ONCE = "charged_once"
    """A fee that is due once is due on its one day."""
    UNUSED = "unused"
    """No usage happened on that day (rule 10)."""
    BEFORE_CREATION = "before_creation"
    AFTER_DELETION = "after_deletion"
    SUSPENDED = "suspended"
    """The tenant was suspended all day (rules 4 and 5)."""
    PACKAGE_OFF = "package_off"
    """The package was off while the tenant was active (rules 4 and 5)."""


def other_days(
    days: MonthDays, billed: DaySet, candidates: Sequence[tuple[Why, DaySet]]
) -> Mapping[Why, tuple[date, ...]]:
    """The days of the month that are not `billed`, each under the first reason that holds for it."""
    found: dict[Why, tuple[date, ...]] = {}
    left = days.every_day & ~billed
    for why, of in candidates:
        if left & of:
            found[why] = dates(days, left & of)
            left &= ~of
    return found


def idle_days(found: Stretches, days: MonthDays) -> list[tuple[Why, DaySet]]:
    """Why a tenant did nothing on a day: the last reasons for what is counted by day."""
    if found.created_at is None:
        return [(Why.BEFORE_CREATION, days.every_day)]
    ended_at = days.end if found.deleted_at is None else found.deleted_at
    return [
        (Why.BEFORE_CREATION, days.every_day & ~days.touched(found.created_at, days.end)),
        (Why.AFTER_DELETION, days.every_day & ~days.touched(days.start, ended_at)),
        (Why.SUSPENDED, days.every_day & ~touched(found.active, days)),
        (Why.PACKAGE_OFF, days.every_day),
    ]


def dates(days: MonthDays, of: DaySet) -> tuple[date, ...]:
    """The local dates of a set of days."""
    return tuple(day for index, day in enumerate(days.dates) if of >> index & 1)


def day_set(days: MonthDays, of: Sequence[date]) -> DaySet:
    """The set of days that local dates of the month are."""
    return sum(1 << index for index, day in enumerate(days.dates) if day in of)
