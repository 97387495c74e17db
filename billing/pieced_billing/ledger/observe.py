"""`observe`: one transaction that locks a tenant's row, decides what its resource adds to the ledger, and adds it.

Exactly once comes from the row: whoever observes the same version again, after a crash, a lost reply or in another
process, finds the ledger's state equal to the resource's and adds nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias

from psycopg.pq import TransactionStatus

from pieced_billing import faults
from pieced_billing.ledger import discontinuities, rows
from pieced_billing.ledger.decide import Decision, decide, is_older
from pieced_billing.ledger.events import Event
from pieced_billing.ledger.future import believed
from pieced_billing.ledger.observation import LedgerRow, Namesakes, Observation
from pieced_billing.store.connections import Connection, outages

__all__ = ["Observation", "observe", "observe_and_tell", "observe_missing"]

FetchAgain: TypeAlias = Callable[[], Observation | None]
"""Reads the same UID from the API server now; None when it is not there, or is another UID."""


def observe(connection: Connection, seen: Observation, fetch_again: FetchAgain | None = None) -> list[Event]:
    """Record what a version of a tenant's resource adds to the ledger; returns the events that were added.

    One transaction of its own: `connection` must not be inside one. `fetch_again` is called, with the row locked, when
    the version contradicts what the ledger knows; without it such a version is dropped. Raises Unavailable for an
    outage: then either everything was recorded or nothing, and the same call may be repeated. Raises FromTheFuture.
    """
    return list(observe_and_tell(connection, seen, fetch_again).events)


def observe_and_tell(connection: Connection, seen: Observation, fetch_again: FetchAgain | None = None) -> Decision:
    """As `observe`; returns all that was recorded, the seams too."""
    faults.point("observe.begin")
    with _transaction(connection):
        faults.point("observe.before_lock")
        seen = believed(seen, rows.lock_name(connection, seen.cluster_id, seen.tenant))
        row = rows.lock_row(connection, seen)
        faults.point("observe.after_lock")
        decision = decide(row, seen, _namesakes(connection, row, seen))
        if decision.stale and fetch_again is not None:
            decision = _decide_again(connection, row, decision, fetch_again)
        faults.point("observe.after_decision")
        _save(connection, row, decision)
        faults.point("observe.before_commit")
    faults.point("observe.after_commit")
    return decision


def observe_missing(connection: Connection, uid: str, seen_at: datetime, source: str) -> list[Event]:
    """Record the end of a tenant that a sweep found to exist no more at `seen_at`, inferred; none if it had ended."""
    with _transaction(connection):
        found = connection.execute(
            "SELECT cluster_id, tenant_name FROM tenant_billing_lifecycle WHERE tenant_uid = %s", [uid]
        ).fetchone()
        if found is None:
            return []
        now = rows.lock_name(connection, *found)
        row = rows.lock_existing_row(connection, uid)
        assert row is not None
        faults.point("missing.after_lock")
        seen = believed(_last_known(row, seen_at, source), now)
        decision = decide(row, seen, _namesakes(connection, row, seen))
        _save(connection, row, decision)
        faults.point("missing.before_commit")
    faults.point("missing.after_commit")
    return list(decision.events)


def _decide_again(connection: Connection, row: LedgerRow | None, stale: Decision, fetch_again: FetchAgain) -> Decision:
    """Decide on the version that the API server has now: it is fresh, so a lower generation is no accident."""
    faults.point("observe.before_fetch_again")
    now = fetch_again()
    faults.point("observe.after_fetch_again")
    if row is None or now is None or now.uid != row.uid:
        return stale
    if row.deleted_at is None and not is_older(now, row):
        return stale  # the copy was old; what is newer comes in its order, with all that lies between
    return decide(row, now, _namesakes(connection, row, now), fresh=True)


def _namesakes(connection: Connection, row: LedgerRow | None, seen: Observation) -> Namesakes:
    """Other UIDs of the name, looked up where a decision can depend on them: at the beginning and at the end."""
    if row is not None and not seen.gone:
        return Namesakes()
    created_at = seen.created_at if row is None else row.created_at
    return rows.namesakes(connection, seen.cluster_id, seen.tenant, seen.uid, created_at)


def _save(connection: Connection, row: LedgerRow | None, decision: Decision) -> None:
    for position, event in enumerate(decision.events):
        if position:
            faults.point("observe.between_events")
        rows.append(connection, event)
    faults.point("observe.after_events")
    if decision.row is not None and decision.row != row:
        rows.save(connection, decision.row)
    if decision.row is not None and decision.seams:
        discontinuities.append(connection, decision.row, decision.seams)
    faults.point("observe.after_row")


def _last_known(row: LedgerRow, seen_at: datetime, source: str) -> Observation:
    """The ledger's own state as the last version of a tenant that exists no more."""
    return Observation(
        cluster_id=row.cluster_id,
        uid=row.uid,
        tenant=row.tenant,
        org=row.org,
        generation=row.generation,
        created_at=row.created_at,
        deleted_at=None,
        suspended=row.suspended,
        suspend_changed_at=None,
        packages=row.packages,
        packages_changed_at=None,
        written_at=row.confirmed_at or row.created_at,
        seen_at=seen_at,
        manager=None,
        source=source,
        gone=True,
    )


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    assert connection.info.transaction_status != TransactionStatus.INTRANS, "observe commits a transaction of its own"
    with outages(), connection.transaction():
        yield
