"""Which local days a tenant was active, and a package billable: by replay for every piece of every day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
Line = Mapping[str, Any]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@cache
def day_begins(day: date, zone: str) -> datetime:
    """The first minute, looking forward from the evening before, whose local date is the day."""
    there = ZoneInfo(zone)
    minute = datetime(day.year, day.month, day.day, tzinfo=there).astimezone(UTC) - timedelta(hours=3)
    assert minute.astimezone(there).date() < day
    while minute.astimezone(there).date() < day:
        minute += timedelta(minutes=1)
    return minute


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def each_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


class Life:
    """One tenant UID as its lines tell it, up to `stop` (exclusive)."""

    def __init__(self, uid: str, lines: Sequence[Line], stop: datetime, zone: str) -> None:
        said = [line for line in lines if line["uid"] == uid and line["kind"] != "usage"]
        self.uid, self.zone = uid, zone
        created = next(line for line in said if line["kind"] == "created")
        deleted = [instant(line["at"]) for line in said if line["kind"] == "deleted"]
        self.tenant, self.org = created["tenant"], created["org"]
        self.created_at = instant(created["at"])
        self.deleted_at = deleted[0] if deleted else None
        self.end = min([stop, *deleted])
        self.said = self._in_order(said)
        self._memory: dict[tuple[date, str | None], bool] = {}

    def _in_order(self, said: Sequence[Line]) -> list[tuple[datetime, str, str | None]]:
        """What counts, each with the instant from which it holds; a repeat is skipped, ties keep the order of lines."""
        first_told: dict[tuple[datetime, str, str | None], None] = {}
        for line in said:
            first_told.setdefault((instant(line["at"]), line["kind"], line.get("package")), None)
        by_time = sorted(first_told, key=lambda told: told[0])
        return [
            (max(at, self.created_at), kind, package)
            for at, kind, package in by_time
            if kind not in {"created", "deleted"} and at < self.end
        ]

    def _state(self, at: datetime) -> tuple[bool, set[str | None]]:
        """Suspended or not, and what is enabled, just after everything said up to and including `at`."""
        suspended = False
        enabled: set[str | None] = set()
        for holds_from, kind, package in self.said:
            if holds_from > at:
                continue
            if kind == "suspended":
                suspended = True
            if kind == "resumed":
                suspended = False
            if kind == "enabled":
                enabled.add(package)
            if kind == "disabled":
                enabled.discard(package)
        return suspended, enabled

    def counts(self, day: date, package: str | None = None) -> bool:
        """Whether any time of the day is active (or billable for the package)."""
        key = (day, package)
        if key not in self._memory:
            self._memory[key] = self._counts(day, package)
        return self._memory[key]

    def _counts(self, day: date, package: str | None) -> bool:
        begins, ends = day_begins(day, self.zone), day_begins(day + timedelta(days=1), self.zone)
        cuts = {begins, ends, self.created_at, self.end, *(at for at, _, _ in self.said)}
        for piece_begins in sorted(cut for cut in cuts if begins <= cut < ends):
            if self.created_at <= piece_begins < self.end:
                suspended, enabled = self._state(piece_begins)
                if not suspended and (package is None or package in enabled):
                    return True
        return False

    def first_day(self, last: date, package: str | None = None) -> date | None:
        """The first day ever, up to `last`, that counts."""
        for day in each_day(local_day(self.created_at, self.zone), last):
            if self.counts(day, package):
                return day
        return None

    def packages(self) -> list[str]:
        return sorted({package for _, kind, package in self.said if kind == "enabled" and package})
