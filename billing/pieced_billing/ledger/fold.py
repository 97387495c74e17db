"""The fold: from the moments of one tenant UID to the days on which it was active and its packages billable.

One pass over the moments; what runs on is kept in two variables: since when the tenant is active (None while it is
suspended), and since when each package is enabled. Nothing here knows prices.
"""

from collections.abc import Callable, Sequence
from typing import Final

from pieced_billing.calendar import DaySet, Microseconds, MonthDays
from pieced_billing.ledger.events import Kind, Moment


class Timeline:
    """What one tenant UID was in one month, and when it first was so, ever.

    `active` and `billable` (by package) are days of the month. `first_active_at` and `first_billable_at` look back to
    the creation: the setup fees depend on them.
    """

    __slots__ = ("active", "billable", "first_active_at", "first_billable_at")

    def __init__(self) -> None:
        self.active: DaySet = 0
        self.billable: dict[str, DaySet] = {}
        self.first_active_at: Microseconds | None = None
        self.first_billable_at: dict[str, Microseconds] = {}


def fold(
    created_at: Microseconds,
    deleted_at: Microseconds | None,
    moments: Sequence[Moment | tuple[int, int, str, str]],
    days: MonthDays,
    until: Microseconds,
) -> Timeline:
    """The timeline of one tenant UID in the month of `days`, as far as `until` (exclusive).

    `moments` are all those since the creation, in any order; they are taken by (`at`, `seq`) (rule 2). What is said
    of an earlier instant holds from `created_at` on, what is said at or after `deleted_at` has no effect (rule 3).
    """
    timeline = Timeline()
    end = until if deleted_at is None else min(until, deleted_at)
    if created_at < end:
        course = _Course(timeline, days, created_at)
        for at, _, kind, package in sorted(moments):
            if at >= end:
                break
            _TRANSITIONS[kind](course, max(at, created_at), package)
        course.suspended(end)
    return timeline


class _Course:
    """A tenant while its moments are read: what runs on, and what is already counted."""

    __slots__ = ("active_since", "days", "enabled_since", "timeline")

    def __init__(self, timeline: Timeline, days: MonthDays, created_at: Microseconds) -> None:
        self.timeline = timeline
        self.days = days
        self.active_since: Microseconds | None = created_at
        self.enabled_since: dict[str, Microseconds] = {}

    def enabled(self, at: Microseconds, package: str) -> None:
        self.enabled_since.setdefault(package, at)

    def disabled(self, at: Microseconds, package: str) -> None:
        since = self.enabled_since.pop(package, None)
        if since is not None and self.active_since is not None:
            self._count_billable(package, max(since, self.active_since), at)

    def suspended(self, at: Microseconds, _: str = "") -> None:
        """A stretch of activity ends, and with it that of every enabled package (rule 4)."""
        start = self.active_since
        if start is None:
            return
        self.active_since = None
        if start < at:
            timeline = self.timeline
            if timeline.first_active_at is None:
                timeline.first_active_at = start
            timeline.active |= self.days.touched(start, at)
            for package, since in self.enabled_since.items():
                self._count_billable(package, max(since, start), at)

    def resumed(self, at: Microseconds, _: str) -> None:
        if self.active_since is None:
            self.active_since = at

    def _count_billable(self, package: str, start: Microseconds, end: Microseconds) -> None:
        """Time of length zero is no time: it neither counts a day nor makes a first one (rule 5)."""
        if start < end:
            timeline = self.timeline
            timeline.first_billable_at.setdefault(package, start)
            timeline.billable[package] = timeline.billable.get(package, 0) | self.days.touched(start, end)


_TRANSITIONS: Final[dict[str, Callable[[_Course, Microseconds, str], None]]] = {
    Kind.ENABLED.value: _Course.enabled,
    Kind.DISABLED.value: _Course.disabled,
    Kind.SUSPENDED.value: _Course.suspended,
    Kind.RESUMED.value: _Course.resumed,
}
