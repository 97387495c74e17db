"""The stretches of time that a bill counts, each with the events that began it and the one that ended it.

The fold (`ledger/fold.py`) keeps days only, because it runs for every tenant of every bill. This is the same fold for
one tenant with its causes kept; a property test holds the two together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pieced_billing.calendar import DaySet, Microseconds, MonthDays, to_microseconds
from pieced_billing.ledger.events import Event, Kind


class Stretch(NamedTuple):
    """`[start, end)` in which a tenant was active, or a package of it billable.

    `began_by` are the events that had to come together for it; `ended_by` is None while it goes on.
    """

    start: Microseconds
    end: Microseconds
    began_by: tuple[Event, ...]
    ended_by: Event | None

    @property
    def causes(self) -> tuple[Event, ...]:
        """All its events."""
        return self.began_by if self.ended_by is None else (*self.began_by, self.ended_by)


@dataclass(frozen=True, slots=True)
class Stretches:
    """All stretches of one tenant UID since its creation, in order: `active`, and `billable` by package.

    `created_at` and `deleted_at` are when the UID began and ended, None where that is not known.
    """

    active: Sequence[Stretch]
    billable: Mapping[str, Sequence[Stretch]]
    created_at: Microseconds | None
    deleted_at: Microseconds | None


def stretches(events: Sequence[Event], until: Microseconds) -> Stretches:
    """The stretches up to `until` (exclusive) of a UID with these events (rules 2 to 5); none before its creation."""
    by_kind = {event.kind: event for event in events if event.kind in (Kind.CREATED, Kind.DELETED)}
    created, deleted = by_kind.get(Kind.CREATED), by_kind.get(Kind.DELETED)
    deleted_at = None if deleted is None else to_microseconds(deleted.occurred_at)
    if created is None:
        return Stretches((), {}, None, deleted_at)
    end = until if deleted_at is None else min(until, deleted_at)
    course = _Course(created)
    if course.created_at >= end:
        return Stretches((), {}, course.created_at, deleted_at)
    for event in sorted(events, key=lambda one: (one.occurred_at, one.seq)):
        at = to_microseconds(event.occurred_at)
        if at >= end:
            break
        course.take(event, max(at, course.created_at))
    course.pause(end, deleted if deleted_at == end else None)
    return Stretches(course.active, course.billable, course.created_at, deleted_at)


def touched(found: Iterable[Stretch], days: MonthDays) -> DaySet:
    """The days of a month in which one of the stretches has a length above zero."""
    union = 0
    for stretch in found:
        union |= days.touched(stretch.start, stretch.end)
    return union


class _Course:
    """A tenant while its events are read: since when it is active and each package enabled, and by which event."""

    def __init__(self, created: Event) -> None:
        self.created_at = to_microseconds(created.occurred_at)
        self.active: list[Stretch] = []
        self.billable: defaultdict[str, list[Stretch]] = defaultdict(list)
        self._active_by: tuple[Microseconds, Event] | None = (self.created_at, created)
        self._enabled_by: dict[str, tuple[Microseconds, Event]] = {}

    def take(self, event: Event, at: Microseconds) -> None:
        """What an event changes; one that changes nothing has no effect."""
        match event.kind:
            case Kind.ENABLED:
                self._enabled_by.setdefault(event.package or "", (at, event))
            case Kind.DISABLED:
                self._disable(event.package or "", at, event)
            case Kind.SUSPENDED:
                self.pause(at, event)
            case Kind.RESUMED:
                self._active_by = self._active_by or (at, event)

    def pause(self, at: Microseconds, event: Event | None) -> None:
        """The tenant's activity ends, and with it that of every enabled package."""
        if self._active_by is None:
            return
        since, by = self._active_by
        for package in self._enabled_by:
            self._close_billable(package, at, event)
        self._active_by = None
        if since < at:
            self.active.append(Stretch(since, at, (by,), event))

    def _disable(self, package: str, at: Microseconds, event: Event) -> None:
        if package in self._enabled_by:
            self._close_billable(package, at, event)
            del self._enabled_by[package]

    def _close_billable(self, package: str, at: Microseconds, event: Event | None) -> None:
        if self._active_by is None:
            return
        (active_since, active_by), (enabled_since, enabled_by) = self._active_by, self._enabled_by[package]
        start = max(active_since, enabled_since)
        if start < at:
            self.billable[package].append(Stretch(start, at, (active_by, enabled_by), event))
