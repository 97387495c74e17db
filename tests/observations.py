"""Observations of tenants for tests: one version of a resource, and the row that it leaves in the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pieced_billing.ledger.observation import Observation
from pieced_billing.store.connections import Connection

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


def first_version(uid: str = "u1", tenant: str = "acme", **changes: Any) -> Observation:
    """A tenant as the watch delivers it when it is made, at nine."""
    seen = Observation(
        cluster_id="cluster",
        uid=uid,
        tenant=tenant,
        org="310001",
        generation=1,
        created_at=NINE,
        deleted_at=None,
        suspended=False,
        suspend_changed_at=NINE,
        packages=frozenset(),
        packages_changed_at=NINE,
        written_at=NINE,
        seen_at=NINE + timedelta(milliseconds=300),
        manager="kubectl",
        source="watch",
    )
    return replace(seen, **changes)


def next_version(seen: Observation, minutes: int = 1, **changes: Any) -> Observation:
    """The version after it, written some minutes later by one write that owns both switches."""
    written_at = seen.written_at + timedelta(minutes=minutes)
    changed: dict[str, Any] = {
        "generation": seen.generation + 1,
        "suspend_changed_at": written_at,
        "packages_changed_at": written_at,
        "written_at": written_at,
        "seen_at": written_at + timedelta(milliseconds=300),
    }
    return replace(seen, **(changed | changes))


def recorded(connection: Connection, uid: str = "u1") -> list[tuple[Any, ...]]:
    """All events of a UID by their sequence numbers: seq, kind, package, occurred_at, quality."""
    events = connection.execute(
        """SELECT seq, event_kind, '' AS package, occurred_at, quality
           FROM tenant_lifecycle_events WHERE tenant_uid = %(uid)s
           UNION ALL SELECT seq, event_kind, skill_id, occurred_at, quality
           FROM tenant_skill_events WHERE tenant_uid = %(uid)s
           UNION ALL SELECT seq, event_kind, '', occurred_at, quality
           FROM tenant_suspension_events WHERE tenant_uid = %(uid)s
           ORDER BY seq""",
        {"uid": uid},
    ).fetchall()
    connection.rollback()
    return events


def kinds(connection: Connection, uid: str = "u1") -> list[str]:
    """The kinds of a UID's events in the order of their recording; asserts that their numbers have no holes."""
    events = recorded(connection, uid)
    assert [event[0] for event in events] == list(range(1, len(events) + 1))
    return [event[1] for event in events]
