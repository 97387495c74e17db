"""The ledger as the story shows it: the events that a change made, read from the tables as they appear."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import psycopg
from psycopg.rows import class_row

from pieced_local.errors import LocalError

WAIT_SECONDS = 60
POLL_SECONDS = 0.02

COLUMNS = "occurred_at, not_before, not_after, quality, source, recorded_at"
EVENTS_SINCE = f"""
SELECT tenant, kind, package, {COLUMNS}
FROM (
    SELECT tenant_name AS tenant, event_kind AS kind, NULL AS package, {COLUMNS}, seq FROM tenant_lifecycle_events
    UNION ALL
    SELECT tenant_name, event_kind, skill_id, {COLUMNS}, seq FROM tenant_skill_events
    UNION ALL
    SELECT tenant_name, event_kind, NULL, {COLUMNS}, seq FROM tenant_suspension_events
) AS events
WHERE recorded_at > %s
ORDER BY tenant, seq
"""  # noqa: S608 - made of constants


class EventsMissing(LocalError):
    """The ledger did not get the events that a change should have made."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the ledger; `occurred_at` lies between `not_before` and `not_after`."""

    tenant: str
    kind: str
    package: str | None
    occurred_at: datetime
    not_before: datetime | None
    not_after: datetime | None
    quality: str
    source: str
    recorded_at: datetime


class Ledger:
    """The ledger's rows since a moment, by the database's own clock."""

    def __init__(self, connection: psycopg.Connection, since: datetime) -> None:
        """Rows recorded after `since`, read through a connection in autocommit mode."""
        self._connection = connection
        self.since = since

    @classmethod
    def from_now_on(cls, connection: psycopg.Connection) -> Self:
        """The rows that will be recorded from now on."""
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None, "a SELECT without FROM has a row"
        return cls(connection, row[0])

    def await_events(self, tenant: str, kinds: Collection[str]) -> list[Event]:
        """Wait until the ledger has events of all `kinds` about `tenant`, and give all its new ones.

        Raises EventsMissing after a minute.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            events = [event for event in self._events() if event.tenant == tenant]
            missing = set(kinds) - {event.kind for event in events}
            if not missing:
                return events
            if time.monotonic() > deadline:
                raise EventsMissing(f"The ledger has no event {', '.join(sorted(missing))} of {tenant} after a minute.")
            time.sleep(POLL_SECONDS)

    def _events(self) -> list[Event]:
        with self._connection.cursor(row_factory=class_row(Event)) as cursor:
            return cursor.execute(EVENTS_SINCE, [self.since]).fetchall()
