"""Whether the ledger agrees with itself: a history with its row, lives of one name with each other, numbers. Pure.

What is checked holds for every ledger that only this program has written. A finding means that somebody else has, or
that a database was restored in part; nothing of it can be mended from the cluster.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from pieced_billing.ledger.discrepancy import Disagreement, Discrepancy
from pieced_billing.ledger.events import Event, Kind
from pieced_billing.ledger.observation import LedgerRow

OBSERVED: Final = frozenset({"watch", "replay", "status", "sweep", "backfill"})
"""The sources of what was seen in a cluster. What a file says may come in any order, and say what was so (rule 2)."""

_RESTORE: Final = "compare with a backup of the database: facts of the ledger are never changed by this program"


class NumberRun(NamedTuple):
    """Consecutive numbers of invoices, of one issuing entity, series and year of issue."""

    first: int
    last: int


def unsound_history(row: LedgerRow, events: Sequence[Event]) -> Iterator[Discrepancy]:
    """What is wrong with a tenant UID: `events` are all of it, by `seq`."""
    for kind, what in (*_numbering(row, events), *_order(events), *_projection(row, events)):
        yield Discrepancy(kind, row.tenant, row.uid, what, _RESTORE)


def overlaps(rows: Iterable[LedgerRow]) -> Iterator[Discrepancy]:
    """Lives of one name in one cluster that are not over when the next begins."""
    by_name = sorted(rows, key=lambda row: (row.cluster_id, row.tenant, row.created_at, row.uid))
    for _, lives in groupby(by_name, key=lambda row: (row.cluster_id, row.tenant)):
        for one, following in pairwise(lives):
            if one.deleted_at is None or one.deleted_at > following.created_at:
                what = f"lives on when {following.uid} of the same name begins, at {following.created_at.isoformat()}"
                to_do = "if it is gone, `pieced ledger check --repair` records its end; else " + _RESTORE
                yield Discrepancy(Disagreement.OVERLAP, one.tenant, one.uid, what, to_do)


def unsound_counter(name: str, last_number: int | None, runs: Sequence[NumberRun]) -> Iterator[Discrepancy]:
    """What is wrong with a counter of invoice numbers; `runs` are the numbers that are accounted for, ascending.

    That are those of invoices, and those of certified holes. `last_number` is None where there is no counter.
    """
    expected = 1
    for run in runs:
        if run.first != expected:
            yield _counter(f"{name}: no invoice has {_numbers(expected, run.first - 1)}")
        expected = run.last + 1
    if last_number != expected - 1:
        says = "there is no counter" if last_number is None else f"the counter is at {last_number}"
        yield _counter(f"{name}: {says}, and the last number that was issued is {expected - 1}")


def _numbers(first: int, last: int) -> str:
    return f"number {first}" if first == last else f"numbers {first} to {last}"


def _counter(what: str) -> Discrepancy:
    return Discrepancy(Disagreement.COUNTER, "", "", what, f"issue no invoice before it is explained; {_RESTORE}")


def _numbering(row: LedgerRow, events: Sequence[Event]) -> Iterator[tuple[Disagreement, str]]:
    """Sequence numbers count from 1 without a hole, and the row knows the last."""
    numbers = [event.seq for event in events]
    for before, seq in pairwise([0, *numbers]):
        if seq > before + 1:
            yield Disagreement.COUNTER, f"no event has the sequence {_numbers(before + 1, seq - 1)}"
        elif seq <= before:
            yield Disagreement.COUNTER, f"two events have the sequence number {seq}"
    last = max(numbers, default=0)
    if row.last_seq != last:
        yield Disagreement.COUNTER, f"the row counts {row.last_seq} events, and the last has number {last}"


def _order(events: Sequence[Event]) -> Iterator[tuple[Disagreement, str]]:
    """What was observed is later than all before it, lies in its bounds, and comes after the creation."""
    latest: Event | None = None
    for event in events:
        if event.not_before is not None and event.occurred_at < event.not_before:
            yield Disagreement.EVENT_ORDER, f"event {event.seq} ({event.kind}) is before its lower bound"
        if event.not_after is not None and event.occurred_at > event.not_after:
            yield Disagreement.EVENT_ORDER, f"event {event.seq} ({event.kind}) is after its upper bound"
        if latest is not None and event.source in OBSERVED and event.occurred_at <= latest.occurred_at:
            yield (
                Disagreement.EVENT_ORDER,
                f"event {event.seq} ({event.kind}) is not later than event {latest.seq} ({latest.kind})",
            )
        if latest is None or event.occurred_at > latest.occurred_at:
            latest = event
    if events and all(event.source in OBSERVED for event in events):
        yield from _succession(events)


def _succession(events: Sequence[Event]) -> Iterator[tuple[Disagreement, str]]:
    """An observed life begins with its creation and ends with its deletion, and no switch says what was so already."""
    state: dict[str | None, Kind] = {None: Kind.RESUMED}
    for position, event in enumerate(events):
        if (event.kind is Kind.CREATED) != (position == 0):
            yield Disagreement.EVENT_ORDER, f"event {event.seq} is {event.kind}: a life begins with its creation"
        if event.kind is Kind.DELETED and position != len(events) - 1:
            yield Disagreement.EVENT_ORDER, f"event {event.seq} is deleted, and events follow it"
        if event.kind in _SWITCHES:
            before = state.get(event.package, Kind.DISABLED)
            if before is event.kind:
                of = f" {event.package}" if event.package else ""
                yield Disagreement.EVENT_ORDER, f"event {event.seq} is {event.kind}{of}, which was so already"
            state[event.package] = event.kind


def _projection(row: LedgerRow, events: Sequence[Event]) -> Iterator[tuple[Disagreement, str]]:
    """The row is the fold of the events."""
    suspended, packages = False, set[str]()
    instants: dict[Kind, object] = {Kind.CREATED: None, Kind.DELETED: None}
    for event in sorted(events, key=lambda one: (one.occurred_at, one.seq)):
        if event.kind in instants:
            instants[event.kind] = event.occurred_at
        elif event.package is None:
            suspended = event.kind is Kind.SUSPENDED
        elif event.kind is Kind.ENABLED:
            packages.add(event.package)
        else:
            packages.discard(event.package)
    folded = (instants[Kind.CREATED], instants[Kind.DELETED], suspended, packages)
    if folded != (row.created_at, row.deleted_at, row.suspended, set(row.packages)):
        yield Disagreement.COUNTER, "the row of the tenant is not what its events fold to"


_SWITCHES: Final = frozenset({Kind.ENABLED, Kind.DISABLED, Kind.SUSPENDED, Kind.RESUMED})
