"""What is known of each source: since when it counts, and of each tenant how far its usage is collected."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar, Final

from pieced_billing.calendar import from_microseconds, to_microseconds
from pieced_billing.errors import Refused
from pieced_billing.store.connections import Connection
from pieced_billing.usage.coverage import Life, Stretch
from pieced_billing.usage.source import Tenant, Warned

_SINCE: Final = """
INSERT INTO usage_sources AS known (source, since) VALUES (%(source)s, %(since)s)
ON CONFLICT (source) DO UPDATE SET since = least(known.since, EXCLUDED.since) RETURNING since, until
"""
_TENANTS: Final = """
SELECT tenant_uid, tenant_name, zitadel_org_id, cluster_id, created_at, deleted_at, collected_from, collected_until
FROM tenant_billing_lifecycle
    LEFT JOIN (SELECT * FROM usage_coverage WHERE source = %s) AS coverage USING (tenant_uid)
ORDER BY created_at, tenant_uid COLLATE "C"
"""
_SAVE: Final = """
INSERT INTO usage_coverage AS known
    (source, tenant_uid, collected_from, collected_until, failure, warning_code, warning_text)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (source, tenant_uid) DO UPDATE
SET (collected_from, collected_until, failure, warning_code, warning_text, read_at)
    = (EXCLUDED.collected_from, EXCLUDED.collected_until, EXCLUDED.failure, EXCLUDED.warning_code,
       EXCLUDED.warning_text, EXCLUDED.read_at)
"""


class NeverCollected(Refused):
    """A source is new, and nothing says from when on its usage is wanted."""

    code: ClassVar[str] = "never_collected"

    def __init__(self, source: str) -> None:
        super().__init__(f"Nothing was ever collected from {source}; say from which day on with --since.")


class BeingCollected(Refused):
    """Somebody else collects from this source just now."""

    code: ClassVar[str] = "being_collected"

    def __init__(self, source: str) -> None:
        super().__init__(f"Another process collects from {source} at the moment.")


@contextmanager
def alone(connection: Connection, source: str) -> Iterator[None]:
    """Be the only one who collects from a source; raises BeingCollected."""
    lock = "hashtextextended('pieced.usage.' || %s, 0)"
    row = connection.execute(f"SELECT pg_try_advisory_lock({lock})", [source]).fetchone()
    connection.commit()
    if row != (True,):
        raise BeingCollected(source)
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.rollback()
            connection.execute(f"SELECT pg_advisory_unlock({lock})", [source])
            connection.commit()


def expected_since(connection: Connection, source: str, asked: datetime | None) -> tuple[datetime, datetime | None]:
    """From when on a source counts and to when, if there is an end; asking for earlier makes it count from then on.

    Raises NeverCollected.
    """
    if asked is not None:
        row = connection.execute(_SINCE, {"source": source, "since": asked}).fetchone()
    else:
        row = connection.execute("SELECT since, until FROM usage_sources WHERE source = %s", [source]).fetchone()
    if row is None:
        raise NeverCollected(source)
    return row[0], row[1]


def tenants(connection: Connection, source: str) -> list[Tenant]:
    """All tenant UIDs of the ledger, by creation."""
    found = []
    for uid, tenant, org, cluster, created_at, deleted_at, start, end in connection.execute(_TENANTS, [source]):
        collected = None if start is None else Stretch(to_microseconds(start), to_microseconds(end))
        deleted = None if deleted_at is None else to_microseconds(deleted_at)
        found.append(Tenant(tenant, org, cluster, Life(uid, to_microseconds(created_at), deleted, collected)))
    return found


def save(connection: Connection, source: str, life: Life, failure: str | None, warned: Warned | None) -> None:
    """Keep how far the usage of a life is collected, why not further, and what is missing."""
    start, end = (None, None) if life.collected is None else map(from_microseconds, life.collected)
    connection.execute(_SAVE, [source, life.uid, start, end, failure, *(warned or (None, None))])
