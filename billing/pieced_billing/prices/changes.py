"""What applying values with dates records, and what it may not alter (rules 6, 7 and 9).

Deciding only: the caller loads the versions and the finalised months, and saves what comes back.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import ClassVar, TypeVar

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.prices.versions import Version, Versions

V = TypeVar("V")


class PeriodFinalised(Refused):
    """A change would alter a value on a day that is already on an invoice (rule 9)."""

    code: ClassVar[str] = "period_finalised"

    def __init__(self, label: str, period: Month) -> None:
        super().__init__(f"{period} is finalised; {label} may change from {period.next.first} on.")


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
        since_ever = Version(None, by_date.pop(None))
        if _is_moved(by_date, finalised, is_first=is_first):
            added.append(Version(_first_open_day(finalised), since_ever.value))
        elif not _says_nothing_new(recorded, since_ever.value, finalised):
            added.append(since_ever)
    for valid_from, value in sorted(by_date.items(), key=lambda entry: entry[0] or date.min):
        if not _decides(recorded.at(valid_from), value):
            added.append(Version(valid_from, value))
    return added


def later_start(
    recorded: Versions[V], entries: Sequence[Version[V]], finalised: Collection[Month], *, is_first: bool
) -> date | None:
    """The day from which a value without a date among `entries` holds instead of since ever; None if it does hold so.

    Such a value is the first ever, and comes after finalised months. It is said again when it is applied again.
    """
    by_date = {entry.valid_from: entry.value for entry in entries}
    value = by_date.pop(None, None)
    if value is None:
        return None
    if _is_moved(by_date, finalised, is_first=is_first):
        return _first_open_day(finalised)
    return _moved_before(recorded, value, finalised) if recorded.at(None) is None else None


def refuse_finalised(
    label: str,
    recorded: Versions[V],
    added: Sequence[Version[V]],
    finalised: Collection[Month],
    otherwise: Callable[[date], V | None] | None = None,
) -> None:
    """Raise `PeriodFinalised` if recording `added` would alter the value of a day of a finalised month (rule 9).

    It names the last such month: from the day after it the change is possible. `otherwise` gives the value of a day
    on which no version has one.
    """
    if not added:
        return
    after = recorded.with_versions(*added)
    starts = {version.valid_from for version in after.recorded if version.valid_from is not None}
    for month in sorted(finalised, reverse=True):
        for day in {month.first, *(start for start in starts if Month.of(start) == month)}:
            if _value_on(day, recorded, otherwise) != _value_on(day, after, otherwise):
                raise PeriodFinalised(label, month)


def _first_open_day(finalised: Collection[Month]) -> date:
    """The first day after the last finalised month; there must be one."""
    return max(finalised).next.first


def _is_moved(dates: Collection[date | None], finalised: Collection[Month], *, is_first: bool) -> bool:
    """Whether a value without a date has to wait for the first open day; not one that ends before it."""
    if not is_first or not finalised:
        return False
    open_day = _first_open_day(finalised)
    return not any(valid_from is not None and valid_from < open_day for valid_from in dates)


def _says_nothing_new(recorded: Versions[V], value: V | None, finalised: Collection[Month]) -> bool:
    """Whether a value without a date is in force as early as it can be."""
    if not recorded or recorded.at(None) is not None:
        return _decides(recorded.at(None), value)
    if value is None:
        return True  # before the first version there is no value anyway
    return _moved_before(recorded, value, finalised) is not None


def _moved_before(recorded: Versions[V], value: V, finalised: Collection[Month]) -> date | None:
    """The first day ever with a value, if it is this value and a finalised month keeps it from reaching back.

    That is where `_is_moved` put it, or where somebody put it by its date: it holds as early as rule 9 allows, and
    applying what is in force is not a change.
    """
    earliest = min((version.valid_from or date.min for version in recorded.recorded), default=date.min)
    if earliest.day != 1 or earliest == date.min or Month.of(earliest - timedelta(days=1)) not in finalised:
        return None
    return earliest if Version(earliest, value) in recorded.recorded else None


def _value_on(day: date, versions: Versions[V], otherwise: Callable[[date], V | None] | None) -> V | None:
    value = versions.on(day)
    return otherwise(day) if value is None and otherwise is not None else value


def _decides(version: Version[V] | None, value: V | None) -> bool:
    return version is not None and version.value == value
