"""Which days of which tenants are on bills that stand, worked out from the bills as they should be. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeAlias

from pieced_billing.calendar import DaySet
from pieced_billing.verification.differences import Difference, text_of
from pieced_billing.verification.reissued import Pair

Key: TypeAlias = tuple[str, date]
"""A tenant UID and the first day of a period."""


class Billed(NamedTuple):
    """A row of `billed_days`: the days by dimension, and how far the chain was read for them."""

    days: Mapping[str, DaySet]
    read_to: int


class BilledDays:
    """Goes along the documents of one organisation, as the triggers did when they were issued."""

    def __init__(self) -> None:
        self._days: dict[Key, dict[str, DaySet]] = {}
        self._read_to: dict[Key, int] = {}
        self._numbers: dict[Key, str] = {}
        self._not_told: set[Key] = set()

    def add(self, pair: Pair, completed: Pair | None) -> None:
        """Count the next document; `completed` is the bill that it takes back in full."""
        if completed is not None:
            for key, added, returned in _changes(completed):
                self._change(key, taken=added, given=returned)
                self._read_to[key] = 0
            periods = {month.first for month in completed.months()}
            again = [key for key in self._read_to if key[1] in periods]
            self._read_to.update(dict.fromkeys(again, 0))  # also of tenants that only later bills put right there
        if pair.invoice.reversal is None:
            for key, added, returned in _changes(pair):
                self._change(key, taken=returned, given=added)
                self._numbers[key] = pair.document.number
                evidence = pair.invoice.evidence
                if evidence is None:
                    self._not_told.add(key)
                else:
                    self._read_to[key] = evidence.read_to(key[0])

    def differences(self, stored: Mapping[Key, Billed]) -> Iterator[Difference]:
        """In what the table differs, given its rows of all tenants of these documents."""
        for key in sorted({*self._days, *stored}):
            uid, first = key
            of = f"billed_days of {uid}, {first:%Y-%m}"
            number = self._numbers.get(key, "")
            was = stored.get(key, Billed({}, 0))
            days = {dimension: days for dimension, days in self._days.get(key, {}).items() if days}
            kept = {dimension: days for dimension, days in was.days.items() if days}
            if kept != days:
                yield Difference(number, None, of, text_of(kept), text_of(days))
            if key not in self._not_told and was.read_to != self._read_to.get(key, 0):
                right = text_of(self._read_to.get(key, 0))
                yield Difference(number, None, f"{of}: read_to", text_of(was.read_to), right)

    def _change(self, key: Key, taken: Mapping[str, DaySet], given: Mapping[str, DaySet]) -> None:
        days = self._days.setdefault(key, {})
        for dimension, those in taken.items():
            days[dimension] = days.get(dimension, 0) & ~those
        for dimension, those in given.items():
            days[dimension] = days.get(dimension, 0) | those


def _changes(pair: Pair) -> Iterator[tuple[Key, Mapping[str, DaySet], Mapping[str, DaySet]]]:
    """What a bill adds and takes back, by tenant UID and period; a line from before days were kept says nothing."""
    added: defaultdict[Key, dict[str, DaySet]] = defaultdict(dict)
    returned: defaultdict[Key, dict[str, DaySet]] = defaultdict(dict)
    keys: dict[Key, None] = {}
    for month, one in pair.billed():
        if pair.keeps_days(one.position):
            key = one.line.uid, month.first
            keys[key] = None
            dimension = f"{one.charge} {one.line.package}" if one.line.package is not None else one.charge
            added[key][dimension] = added[key].get(dimension, 0) | one.line.days
            returned[key][dimension] = returned[key].get(dimension, 0) | one.returned
    return ((key, added[key], returned[key]) for key in keys)
