"""The decision of an observation: which events the ledger lacks, and when they happened. Pure.

The resource's state is compared with the state that the ledger's events fold to; what differs becomes events. Events of
one UID have strictly increasing instants: those of one second of the API server are spread over it by microseconds, in
the order in which they are recorded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pieced_billing.errors import Refused
from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.findings import (
    SECOND,
    TICK,
    Finding,
    creation,
    deletion,
    known_until,
    switches,
    whole_second,
)
from pieced_billing.ledger.observation import Discontinuity, LedgerRow, Namesakes, Observation, Reason

_ROOM: Final = timedelta(milliseconds=500)
_ALONE: Final = Namesakes()


@dataclass(frozen=True, slots=True)
class Decision:
    """What an observation adds: the events, in order, and the row as it is after them (None: nothing is recorded).

    `seams` are the discontinuities that it shows. `stale` means that nothing was compared: the version contradicts what
    the ledger knows, and only the API server can tell whether it is an old copy.
    """

    events: tuple[Event, ...]
    row: LedgerRow | None
    seams: tuple[Discontinuity, ...] = ()
    stale: bool = False


class OtherCluster(Refused):
    """A UID of one cluster turned up in another: the cluster was copied, or the wrong database is used."""

    code = "other_cluster"

    def __init__(self, row: LedgerRow, seen: Observation) -> None:
        super().__init__(f"Tenant {row.tenant} ({row.uid}) belongs to cluster {row.cluster_id}, not {seen.cluster_id}.")


def decide(row: LedgerRow | None, seen: Observation, namesakes: Namesakes = _ALONE, *, fresh: bool = False) -> Decision:
    """The events that `seen` adds to what the ledger knows, and the new row.

    `fresh` says that `seen` was read from the API server while the row was locked: then a version below the row's means
    that the cluster was restored (`epoch` + 1, a seam), and a tenant after its end that it came back; otherwise the
    copy is stale.
    """
    if not seen.served:
        seen = _with_what_is_served(row, seen)
    if row is None:
        return _begin(seen, namesakes) if seen.org else Decision((), None)
    if row.cluster_id not in ("", seen.cluster_id):
        raise OtherCluster(row, seen)
    if row.deleted_at is not None:
        return _after_the_end(row, seen, fresh=fresh)
    restored = False
    if is_older(seen, row):
        if seen.gone:
            seen = _with_state_of(row, seen)
        elif fresh:
            restored, row = True, replace(row, epoch=row.epoch + 1, gap=True)
        else:
            return Decision((), row, stale=True)
    findings = [*switches(row, seen, restored=restored), *deletion(row, seen, namesakes)]
    return _record(row, seen, findings, restored=restored)


def is_older(seen: Observation, row: LedgerRow) -> bool:
    """Whether a version is from before the one that the ledger was last compared with."""
    return seen.generation < row.generation or 0 < seen.resource_version < row.resource_version


def _after_the_end(row: LedgerRow, seen: Observation, *, fresh: bool) -> Decision:
    """Nothing follows the end of a UID; that it exists again, by a backup of the whole cluster, is worth a seam."""
    if seen.gone or seen.deleted_at is not None:
        return Decision((), row)
    if not fresh:
        return Decision((), row, stale=True)
    return Decision((), row, seams=(_seam(Reason.RETURNED, row, seen),))


def _with_state_of(row: LedgerRow, seen: Observation) -> Observation:
    """An old copy of a tenant that is gone: only that it is gone is news."""
    return replace(
        seen,
        generation=row.generation,
        resource_version=row.resource_version,
        suspended=row.suspended,
        packages=row.packages,
    )


def _with_what_is_served(row: LedgerRow | None, seen: Observation) -> Observation:
    """A version whose orders are refused: a refused change alters no bill, so what was served before counts on."""
    if row is None:
        return replace(seen, suspended=False, packages=frozenset())
    return replace(seen, suspended=row.suspended, packages=row.packages)


def _begin(seen: Observation, namesakes: Namesakes) -> Decision:
    """The first observation of a UID: it is created, after whoever had its name before."""
    created_at = max(seen.created_at, namesakes.predecessor_deleted_at or seen.created_at)
    if namesakes.predecessor_alive:
        # The predecessor's last events are still to come and lie before this one, maybe in the same second: leave room.
        created_at = max(created_at, seen.created_at + _ROOM)
    nothing = LedgerRow(seen.cluster_id, seen.uid, seen.tenant, seen.org, created_at)
    findings = [creation(seen, created_at), *switches(nothing, seen), *deletion(nothing, seen, namesakes)]
    return _record(nothing, seen, findings, restored=False)


def _record(row: LedgerRow, seen: Observation, findings: list[Finding], *, restored: bool) -> Decision:
    """Put the findings in order, give them sequence numbers and instants of their own, and fold them into the row."""
    events: list[Event] = []
    last_at = row.last_event_at
    # Of one instant the deletion comes last; whatever is said after a creation is said of the created tenant.
    for finding in sorted(findings, key=lambda one: (one.kind is not Kind.CREATED, one.at, one.kind is Kind.DELETED)):
        at = max(finding.at, row.created_at) if last_at is None else max(finding.at, last_at + TICK)
        events.append(_event(row, seen, finding, at, row.last_seq + len(events) + 1))
        last_at = at
    deleted_at = next((event.occurred_at for event in events if event.kind is Kind.DELETED), None)
    after = replace(
        row,
        cluster_id=seen.cluster_id,
        deleted_at=deleted_at,
        generation=seen.generation,
        resource_version=seen.resource_version or row.resource_version,
        last_seq=row.last_seq + len(events),
        last_event_at=last_at,
        confirmed_at=_confirmed_at(row, seen),
        suspended=seen.suspended,
        packages=_fold_packages(row.packages, events),
        gap=row.gap or seen.generation > row.generation + 1,
    )
    return Decision(tuple(events), after, tuple(_seams(row, seen, restored=restored)))


def _seams(row: LedgerRow, seen: Observation, *, restored: bool) -> Iterator[Discontinuity]:
    if restored:
        yield _seam(Reason.WENT_BACK, row, seen)
    elif seen.generation > row.generation + 1:
        yield _seam(Reason.GAP, row, seen)
    if row.last_seq == 0 and seen.restored_from is not None:
        yield replace(_seam(Reason.RESTORED, row, seen), predecessor_uid=seen.restored_from)


def _seam(reason: Reason, row: LedgerRow, seen: Observation) -> Discontinuity:
    known = max(known_until(row), row.deleted_at or row.created_at)
    return Discontinuity(
        reason=reason,
        epoch=row.epoch,
        generation_before=row.generation,
        generation_after=seen.generation,
        predecessor_uid=None,
        not_before=known,
        not_after=max(known, seen.seen_at),
        source=seen.source,
    )


def _fold_packages(packages: frozenset[str], events: Iterable[Event]) -> frozenset[str]:
    """The packages that are enabled when these events follow."""
    for event in events:
        if event.kind is Kind.ENABLED and event.package is not None:
            packages |= {event.package}
        elif event.kind is Kind.DISABLED and event.package is not None:
            packages -= {event.package}
    return packages


def _event(row: LedgerRow, seen: Observation, finding: Finding, at: datetime, seq: int) -> Event:
    """The event of a finding whose place among the others is `at`; out of its bounds it is exact no more."""
    moved = at > finding.at and at >= finding.not_after
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
        not_after=max(finding.not_after, at),
        quality=Quality.BOUNDED if moved and finding.quality is Quality.EXACT else finding.quality,
        source=seen.source,
        generation=seen.generation,
        manager=seen.manager,
    )


def _confirmed_at(row: LedgerRow, seen: Observation) -> datetime | None:
    """Until when the resource is now known to have been as it was seen."""
    if seen.gone:
        return row.confirmed_at
    known = seen.written_at
    if seen.asked_at is not None:
        # The API server's time is known a little too late rather than too early; never by as much as a second.
        known = max(known, whole_second(seen.asked_at) - SECOND)
    return max(known, row.confirmed_at or known)
