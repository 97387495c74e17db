"""What applying values with dates records, and what it may not alter (rules 6, 7 and 9).

Deciding only: the caller loads the versions and the finalised months, and saves what comes back.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import ClassVar, TypeVar

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.prices.versions import Version, Versions

V = TypeVar("V")


class PeriodFinalised(Refused):
    """A change would alter a value on a day that is already on an invoice (rule 9)."""

    code: ClassVar[str] = "period_finalised"

    def __init__(self, label: str, period: Month, earliest: date) -> None:
        super().__init__(f"{period} is finalised; {label} may change from {earliest} on.")


def additions(
    recorded: Versions[V], entries: Sequence[Version[V]], finalised: Collection[Month], *, is_first: bool
) -> list[Version[V]]:
    """The versions of one field to record so that `entries`, in the order of their file, decide their dates.

    An entry is left out where its date is already decided by its value; of several for one date the last counts.
    `is_first` says that nothing was ever set before: a value without a date then holds since ever, or from the first
    day after the last of the `finalised` months (rule 7).
    """
    by_date = {entry.valid_from: entry.value for entry in entries}
    added: list[Version[V]] = []
    if None in by_date:
        value = by_date.pop(None)
        if is_first and finalised and not _begins_before(earliest_open_day(finalised), by_date):
            added.append(Version(earliest_open_day(finalised), value))
        elif not _decides(recorded.at(None), value) and not _holds_as_early_as_it_can(recorded, value, finalised):
            added.append(Version(None, value))
    for valid_from, value in sorted(by_date.items(), key=lambda entry: entry[0] or date.min):
        if not _decides(recorded.at(valid_from), value):
            added.append(Version(valid_from, value))
    return added


def refuse_finalised(
    label: str,
    recorded: Versions[V],
    added: Sequence[Version[V]],
    finalised: Collection[Month],
    otherwise: Callable[[date], V | None] | None = None,
) -> None:
    """Raise `PeriodFinalised` if recording `added` would alter the value of a day of a finalised month (rule 9).

    `otherwise` gives the value of a day on which no version has one.
    """
    if not added:
        return
    after = recorded.with_versions(*added)
    for month in sorted(finalised):
        starts = {version.valid_from for version in after.recorded if version.valid_from is not None}
        for day in sorted({month.first, *(start for start in starts if Month.of(start) == month)}):
            if _value_on(day, recorded, otherwise) != _value_on(day, after, otherwise):
                raise PeriodFinalised(label, month, earliest_open_day(finalised))


def earliest_open_day(finalised: Collection[Month]) -> date:
    """The first day after the last finalised month; there must be one."""
    return max(finalised).next.first


def _begins_before(day: date, dates: Iterable[date | None]) -> bool:
    """Whether one of these dates is before the day: a value without a date then ends before it."""
    return any(valid_from is not None and valid_from < day for valid_from in dates)


def _value_on(day: date, versions: Versions[V], otherwise: Callable[[date], V | None] | None) -> V | None:
    value = versions.on(day)
    return otherwise(day) if value is None and otherwise is not None else value


def _decides(version: Version[V] | None, value: V | None) -> bool:
    return version is not None and version.value == value


def _holds_as_early_as_it_can(recorded: Versions[V], value: V | None, finalised: Collection[Month]) -> bool:
    """Whether a value without a date says nothing new although no version since ever is recorded.

    Either it says that there is no value, which is so before the first one. Or it was the first ever, and holds from
    the end of a finalised month instead: applying the same file again, after that, is not a change.
    """
    if not recorded or recorded.at(None) is not None:
        return False
    if value is None:
        return True
    starts = [version.valid_from for version in recorded.recorded if version.value is not None and version.valid_from]
    earliest = min(starts, default=None)
    if earliest is None or earliest.day != 1 or Month.of(earliest - timedelta(days=1)) not in finalised:
        return False
    return Version(earliest, value) in recorded.recorded
