"""What a version of a tenant says that the ledger does not: each difference with its instant and its bounds. Pure.

A switch happened at the time of the managedFields entry that owns the field, but not before the ledger's state was last
confirmed and not after the version was seen. The API server writes whole seconds: what it dates T lies in [T, T + 1 s).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from pieced_billing.ledger.events import Kind, Quality
from pieced_billing.ledger.observation import LedgerRow, Namesakes, Observation

TICK: Final = timedelta(microseconds=1)
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """An event to be: what happened, when, and between which instants, before it is put in order with the others."""

    kind: Kind
    at: datetime
    not_before: datetime
    not_after: datetime
    quality: Quality
    package: str | None = None

    @classmethod
    def exact(cls, kind: Kind, at: datetime, package: str | None = None) -> Self:
        """A finding that the API server dates itself: it happened in the second of `at`."""
        return cls(kind, at, whole_second(at), whole_second(at) + SECOND, Quality.EXACT, package)


def creation(seen: Observation, at: datetime) -> Finding:
    """The beginning of a tenant at `at`, which is `seen.created_at` or, for the sake of a namesake, a little later."""
    dated = Finding.exact(Kind.CREATED, seen.created_at)
    if seen.created_not_before is None:
        return replace(dated, at=at)
    return replace(dated, at=at, not_before=seen.created_not_before, quality=Quality.BOUNDED)


def switches(row: LedgerRow, seen: Observation, *, restored: bool = False) -> Iterator[Finding]:
    """Suspension and packages that differ from the ledger's state; `restored`: the cluster itself went back."""
    if seen.suspended != row.suspended:
        kind = Kind.SUSPENDED if seen.suspended else Kind.RESUMED
        yield _switch(kind, row, seen, seen.suspend_changed_at, restored=restored)
    # An unchanged spec takes nothing away: what is missing then is missing from an old copy of the catalogue.
    unchanged = row.last_seq > 0 and seen.generation == row.generation and not restored
    for package in () if unchanged else sorted(row.packages - seen.packages):
        yield _switch(Kind.DISABLED, row, seen, seen.packages_changed_at, package, restored=restored)
    for package in sorted(seen.packages - row.packages):
        yield _enabling(package, row, seen, unchanged=unchanged, restored=restored)


def deletion(row: LedgerRow, seen: Observation, namesakes: Namesakes) -> Iterator[Finding]:
    """The end of the tenant: its deletionTimestamp or, where it vanished without one, the last time it was known."""
    if seen.deleted_at is not None:
        yield Finding.exact(Kind.DELETED, seen.deleted_at)
    elif seen.gone:
        known = max(known_until(row), seen.written_at)
        latest = min(seen.seen_at, namesakes.successor_created_at or seen.seen_at)
        at = min(known + TICK, namesakes.successor_created_at or known + TICK)
        yield Finding(Kind.DELETED, at, min(known, at), max(at, latest), Quality.INFERRED)


def known_until(row: LedgerRow) -> datetime:
    """Until when the ledger's state is known to have been the resource's."""
    return max(row.created_at, row.confirmed_at or row.created_at)


def whole_second(instant: datetime) -> datetime:
    """The second in which an instant lies, as the API server writes it."""
    return instant.replace(microsecond=0)


def _switch(
    kind: Kind,
    row: LedgerRow,
    seen: Observation,
    changed_at: datetime | None,
    package: str | None = None,
    *,
    restored: bool,
) -> Finding:
    """A switch at the time that its field's owner gives, inside the interval in which it can have happened.

    Exact if the very write was delivered; bounded if it is known by its trace only; inferred without a trace.
    """
    as_created = row.last_seq == 0 and seen.generation <= 1
    if as_created:
        changed_at = row.created_at
    earliest = known_until(row)
    latest = max(seen.seen_at, earliest)
    if restored and (changed_at is None or changed_at < earliest):
        return _undone(kind, earliest, latest, package)
    claimed = changed_at if changed_at is not None else min(seen.written_at, seen.deleted_at or seen.written_at)
    at = min(claimed, latest)
    if at <= earliest and row.last_seq:
        at = earliest + TICK
    at = max(at, earliest)
    if changed_at is None:
        return Finding(kind, at, earliest, max(at, seen.seen_at), Quality.INFERRED, package)
    delivered = seen.asked_at is None and seen.generation == row.generation + 1
    if (delivered or as_created) and whole_second(at) == whole_second(claimed):
        return Finding(kind, at, whole_second(at), whole_second(at) + SECOND, Quality.EXACT, package)
    # Whoever owns the field has written since, or has not: either way the switch was no later than that write.
    not_after = max(at, min(seen.seen_at, whole_second(claimed) + SECOND))
    return Finding(kind, at, earliest, not_after, Quality.BOUNDED, package)


def _undone(kind: Kind, earliest: datetime, latest: datetime, package: str | None) -> Finding:
    """A switch that a restore of the cluster made, and nobody: at the end of the interval that bills less."""
    at = latest if kind in (Kind.RESUMED, Kind.ENABLED) else min(earliest + TICK, latest)
    return Finding(kind, at, earliest, latest, Quality.INFERRED, package)


def _enabling(package: str, row: LedgerRow, seen: Observation, *, unchanged: bool, restored: bool) -> Finding:
    """A package is enabled by the spec or, where that names it already, by its entry into the catalogue."""
    catalogued_at = seen.catalogued_at.get(package)
    if unchanged and catalogued_at is not None:
        changed_at = seen.packages_changed_at or catalogued_at
        found = Finding.exact(Kind.ENABLED, max(catalogued_at, changed_at), package)
        if whole_second(changed_at) <= whole_second(catalogued_at):
            return found
        # The trace of the spec's write was moved by a later one: the spec may have named the package long before.
        return Finding(Kind.ENABLED, found.at, whole_second(catalogued_at), found.not_after, Quality.BOUNDED, package)
    found = _switch(Kind.ENABLED, row, seen, seen.packages_changed_at, package, restored=restored)
    if catalogued_at is None or catalogued_at <= found.at:
        return found
    if found.quality is Quality.EXACT:
        return Finding.exact(Kind.ENABLED, catalogued_at, package)
    not_after = max(found.not_after, whole_second(catalogued_at) + SECOND)
    return Finding(Kind.ENABLED, catalogued_at, whole_second(catalogued_at), not_after, found.quality, package)
