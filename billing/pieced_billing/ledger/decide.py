"""The decision of an observation: which events the ledger lacks, and when they happened. Pure.

The resource's state is compared with the state that the ledger's events fold to; what differs becomes events. A switch
happened at the time of the managedFields entry that owns the field, but not before the ledger's state was last
confirmed and not after the version was seen. Events of one UID have strictly increasing instants: those of one second
of the API server are spread over it by microseconds, in the order in which they are recorded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pieced_billing.errors import Refused
from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.observation import LedgerRow, Namesakes, Observation

_TICK: Final = timedelta(microseconds=1)
_SECOND: Final = timedelta(seconds=1)
_ROOM: Final = timedelta(milliseconds=500)
_ALONE: Final = Namesakes()


@dataclass(frozen=True, slots=True)
class Decision:
    """What an observation adds: the events, in order, and the row as it is after them (None: nothing is recorded).

    `stale` means that nothing was compared: the version is older than one that the ledger has had.
    """

    events: tuple[Event, ...]
    row: LedgerRow | None
    stale: bool = False


class OtherCluster(Refused):
    """A UID of one cluster turned up in another: the cluster was copied, or the wrong database is used."""

    code = "other_cluster"

    def __init__(self, row: LedgerRow, seen: Observation) -> None:
        super().__init__(f"Tenant {row.tenant} ({row.uid}) belongs to cluster {row.cluster_id}, not {seen.cluster_id}.")


@dataclass(frozen=True, slots=True)
class _Finding:
    """An event to be: what happened and when, before it is put in order with the others."""

    kind: Kind
    at: datetime
    quality: Quality = Quality.EXACT
    package: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


def decide(row: LedgerRow | None, seen: Observation, namesakes: Namesakes = _ALONE, *, fresh: bool = False) -> Decision:
    """The events that `seen` adds to what the ledger knows, and the new row.

    `fresh` says that `seen` was read from the API server while the row was locked: then a generation below the row's
    means that the cluster was restored (`epoch` + 1, flagged as a gap), otherwise that the copy is stale.
    """
    if row is None:
        return _begin(seen, namesakes) if seen.org else Decision((), None)
    if row.cluster_id not in ("", seen.cluster_id):
        raise OtherCluster(row, seen)
    if row.deleted_at is not None:
        return Decision((), row)
    if seen.generation < row.generation:
        if seen.gone:
            seen = replace(seen, generation=row.generation, suspended=row.suspended, packages=row.packages)
        elif fresh:
            row = replace(row, epoch=row.epoch + 1, gap=True)
        else:
            return Decision((), row, stale=True)
    return _record(row, seen, [*_switches(row, seen), *_deletion(row, seen, namesakes)])


def _begin(seen: Observation, namesakes: Namesakes) -> Decision:
    """The first observation of a UID: it is created, after whoever had its name before."""
    created_at = max(seen.created_at, namesakes.predecessor_deleted_at or seen.created_at)
    if namesakes.predecessor_alive:
        # The predecessor's last events are still to come and lie before this one, maybe in the same second: leave room.
        created_at = max(created_at, seen.created_at + _ROOM)
    nothing = LedgerRow(seen.cluster_id, seen.uid, seen.tenant, seen.org, created_at)
    switches = list(_switches(nothing, seen))
    return _record(nothing, seen, [_Finding(Kind.CREATED, created_at), *switches, *_deletion(nothing, seen, namesakes)])


def _switches(row: LedgerRow, seen: Observation) -> Iterator[_Finding]:
    """Suspension and packages that differ from the ledger's state."""
    if seen.suspended != row.suspended:
        yield _switch(Kind.SUSPENDED if seen.suspended else Kind.RESUMED, row, seen, seen.suspend_changed_at)
    # An unchanged spec takes nothing away: what is missing then is missing from an old copy of the catalogue.
    unchanged = row.last_seq > 0 and seen.generation == row.generation
    for package in () if unchanged else sorted(row.packages - seen.packages):
        yield _switch(Kind.DISABLED, row, seen, seen.packages_changed_at, package)
    for package in sorted(seen.packages - row.packages):
        yield _enabling(package, row, seen)


def _switch(
    kind: Kind, row: LedgerRow, seen: Observation, changed_at: datetime | None, package: str | None = None
) -> _Finding:
    """A switch at the time that its field's owner gives, inside the interval in which it can have happened.

    Exact if the very write was delivered; bounded if it is known by its trace only; inferred without a trace.
    """
    if row.last_seq == 0 and seen.generation <= 1:
        changed_at = row.created_at  # the spec is as it was created
    earliest = _known_until(row)
    traced = changed_at is not None
    claimed = changed_at if changed_at is not None else min(seen.written_at, seen.deleted_at or seen.written_at)
    at = min(claimed, max(seen.seen_at, earliest))
    if at <= earliest and row.last_seq:
        at = earliest + _TICK
    at = max(at, earliest)
    delivered = not seen.confirmed and seen.generation == row.generation + 1
    if traced and delivered and _same_second(at, claimed):
        return _Finding(kind, at, Quality.EXACT, package)
    quality = Quality.BOUNDED if traced else Quality.INFERRED
    return _Finding(kind, at, quality, package, not_before=earliest, not_after=max(at, seen.seen_at))


def _enabling(package: str, row: LedgerRow, seen: Observation) -> _Finding:
    """A package is enabled by the spec or, where that names it already, by its entry into the catalogue."""
    catalogued_at = seen.catalogued_at.get(package)
    if row.last_seq and seen.generation == row.generation and catalogued_at is not None:
        return _Finding(Kind.ENABLED, max(catalogued_at, seen.packages_changed_at or catalogued_at), package=package)
    finding = _switch(Kind.ENABLED, row, seen, seen.packages_changed_at, package)
    if catalogued_at is None or catalogued_at <= finding.at:
        return finding
    return replace(finding, at=catalogued_at, not_after=finding.not_after and max(finding.not_after, catalogued_at))


def _deletion(row: LedgerRow, seen: Observation, namesakes: Namesakes) -> Iterator[_Finding]:
    """The end of the tenant: its deletionTimestamp or, where it vanished without one, the last time it was known."""
    if seen.deleted_at is not None:
        yield _Finding(Kind.DELETED, seen.deleted_at)
    elif seen.gone:
        known = max(_known_until(row), seen.written_at)
        latest = min(seen.seen_at, namesakes.successor_created_at or seen.seen_at)
        at = min(known + _TICK, namesakes.successor_created_at or known + _TICK)
        yield _Finding(Kind.DELETED, at, Quality.INFERRED, not_before=min(known, at), not_after=max(at, latest))


def _record(row: LedgerRow, seen: Observation, findings: list[_Finding]) -> Decision:
    """Put the findings in order, give them sequence numbers and instants of their own, and fold them into the row."""
    events: list[Event] = []
    last_at = row.last_event_at
    # Of one instant the deletion comes last; whatever is said after a creation is said of the created tenant.
    for finding in sorted(findings, key=lambda one: (one.kind is not Kind.CREATED, one.at, one.kind is Kind.DELETED)):
        at = max(finding.at, row.created_at) if last_at is None else max(finding.at, last_at + _TICK)
        events.append(_event(row, seen, finding, at, row.last_seq + len(events) + 1))
        last_at = at
    deleted_at = next((event.occurred_at for event in events if event.kind is Kind.DELETED), None)
    after = replace(
        row,
        cluster_id=seen.cluster_id,
        deleted_at=deleted_at,
        generation=seen.generation,
        last_seq=row.last_seq + len(events),
        last_event_at=last_at,
        confirmed_at=_confirmed_at(row, seen),
        suspended=seen.suspended,
        packages=_fold_packages(row.packages, events),
        gap=row.gap or seen.generation > row.generation + 1,
    )
    return Decision(tuple(events), after)


def _fold_packages(packages: frozenset[str], events: Iterable[Event]) -> frozenset[str]:
    """The packages that are enabled when these events follow."""
    for event in events:
        if event.kind is Kind.ENABLED and event.package is not None:
            packages |= {event.package}
        elif event.kind is Kind.DISABLED and event.package is not None:
            packages -= {event.package}
    return packages


def _event(row: LedgerRow, seen: Observation, finding: _Finding, at: datetime, seq: int) -> Event:
    return Event(
        cluster_id=seen.cluster_id,
        uid=row.uid,
        tenant=row.tenant,
        org=row.org,
        seq=seq,
        kind=finding.kind,
        package=finding.package,
        occurred_at=at,
        not_before=finding.not_before,
        not_after=finding.not_after and max(finding.not_after, at),
        quality=finding.quality,
        source=seen.source,
        generation=seen.generation,
        manager=seen.manager,
    )


def _known_until(row: LedgerRow) -> datetime:
    """Until when the ledger's state is known to have been the resource's."""
    return max(row.created_at, row.confirmed_at or row.created_at)


def _confirmed_at(row: LedgerRow, seen: Observation) -> datetime | None:
    """Until when the resource is now known to have been as it was seen."""
    if seen.gone:
        return row.confirmed_at
    known = seen.written_at
    if seen.confirmed:
        # A read says how things were a moment before its answer; a second is far more than that moment lasts.
        known = max(known, seen.seen_at.replace(microsecond=0) - _SECOND)
    return max(known, row.confirmed_at or known)


def _same_second(one: datetime, other: datetime) -> bool:
    return one.replace(microsecond=0) == other.replace(microsecond=0)
