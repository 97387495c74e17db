"""`pieced ledger export`: the whole ledger in the interchange format, streamed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import orjson

from pieced_billing.ledger.lines import USAGE
from pieced_billing.store.connections import Connection

# Usage has no sequence number; it stands after the events of its instant, in the order of the tenant's chain.
_LINES: Final = """
COPY (SELECT * FROM (
    SELECT event_kind, tenant_uid, tenant_name, zitadel_org_id, '', occurred_at, NULL::numeric, NULL, NULL,
           source, cluster_id, not_before, not_after, quality, generation, manager, 0 AS at_last, seq
    FROM tenant_lifecycle_events
    UNION ALL
    SELECT event_kind, tenant_uid, NULL, NULL, skill_id, occurred_at, NULL, NULL, NULL,
           source, cluster_id, not_before, not_after, quality, generation, manager, 0, seq
    FROM tenant_skill_events
    UNION ALL
    SELECT event_kind, tenant_uid, NULL, NULL, '', occurred_at, NULL, NULL, NULL,
           source, cluster_id, not_before, not_after, quality, generation, manager, 0, seq
    FROM tenant_suspension_events
    UNION ALL
    SELECT 'usage', tenant_uid, NULL, NULL, meter, occurred_at, quantity, usage_id, corrects,
           source, cluster_id, NULL, NULL, NULL, NULL, NULL, 1, link
    FROM usage_records
) AS lines ORDER BY tenant_uid COLLATE "C", occurred_at, at_last, seq) TO STDOUT (FORMAT binary)
"""
_TYPES: Final = (
    *("text", "text", "text", "text", "text", "timestamptz", "numeric", "text", "text"),
    *("text", "text", "timestamptz", "timestamptz", "text", "int8", "text", "int4", "int8"),
)


def export_lines(connection: Connection) -> Iterator[bytes]:
    """Every event and usage record as a line of JSON, by UID (code points), then (`occurred_at`, `seq`)."""
    with connection.cursor() as cursor, cursor.copy(_LINES) as copy:
        copy.set_types(_TYPES)
        for record in copy.rows():
            yield orjson.dumps(_entry(record)) + b"\n"


def instant_text(instant: datetime) -> str:
    """An instant in UTC as the interchange formats write it: 2026-03-01T09:00:00Z, microseconds only if there are."""
    return f"{instant.replace(tzinfo=None).isoformat()}Z"


def _entry(record: tuple[Any, ...]) -> dict[str, Any]:
    """One line; what is not known or not of its kind is left out."""
    kind, uid, tenant, org, package, at, quantity, usage_id, corrects, *optional, _, _ = record
    source, cluster, not_before, not_after, quality, generation, manager = optional
    entry: dict[str, Any] = {"kind": kind, "uid": uid}
    if kind == "created":
        entry |= {"tenant": tenant, "org": org}
    elif kind == USAGE:
        entry |= {"meter": package, "quantity": format(quantity, "f")}
    elif package:
        entry["package"] = package
    entry["at"] = instant_text(at)
    known = {
        "id": usage_id,
        "corrects": corrects,
        "source": source,
        "cluster": cluster or None,
        "not_before": not_before and instant_text(not_before),
        "not_after": not_after and instant_text(not_after),
        "quality": quality,
        "generation": generation,
        "manager": manager,
    }
    return entry | {name: value for name, value in known.items() if value is not None}
