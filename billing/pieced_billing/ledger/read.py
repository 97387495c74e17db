"""The ledger as rating reads it: the histories of tenants, organisation by organisation, by binary COPY."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from pieced_billing.calendar import Microseconds, MonthDays, from_microseconds
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.store.connections import Connection
from pieced_billing.store.instants import from_wire
from pieced_billing.usage.read import usage_by_uid

_BATCH_TENANTS: Final = 20_000
"""So many tenants are in memory at once, or those of one organisation if it has more."""

_ORGS: Final = """
SELECT zitadel_org_id, count(*) FROM tenant_billing_lifecycle
WHERE %(all)s OR zitadel_org_id = ANY(%(orgs)s)
GROUP BY zitadel_org_id ORDER BY zitadel_org_id COLLATE "C"
"""

# A tenant that ended before the month has nothing on its bill but usage.
_TENANTS: Final = """
COPY (
    SELECT zitadel_org_id, tenant_uid, tenant_name, created_at, deleted_at FROM tenant_billing_lifecycle
    WHERE zitadel_org_id = ANY(%(orgs)s) AND (created_at < %(end)s AND (deleted_at IS NULL OR deleted_at > %(start)s)
        OR tenant_uid = ANY(%(used)s))
) TO STDOUT (FORMAT binary)
"""

# LATERAL, and OFFSET to keep it so: the moments of each tenant by index, however long the tables grow.
_MOMENTS: Final = """
COPY (
    SELECT tenant.tenant_uid, event.*
    FROM tenant_billing_lifecycle AS tenant CROSS JOIN LATERAL (
        SELECT occurred_at, seq, event_kind = 'enabled', skill_id FROM tenant_skill_events
        WHERE tenant_uid = tenant.tenant_uid AND occurred_at < %(end)s
        UNION ALL
        SELECT occurred_at, seq, event_kind = 'suspended', '' FROM tenant_suspension_events
        WHERE tenant_uid = tenant.tenant_uid AND occurred_at < %(end)s
        OFFSET 0) AS event
    WHERE tenant.zitadel_org_id = ANY(%(orgs)s) AND (tenant.deleted_at IS NULL OR tenant.deleted_at > %(start)s)
) TO STDOUT (FORMAT binary)
"""


def histories(
    connection: Connection, days: MonthDays, until: Microseconds, orgs: Collection[str] | None = None
) -> Iterator[tuple[str, list[TenantHistory]]]:
    """Every organisation with a tenant in the ledger, ascending, with what its bill of the month depends on.

    Moments reach from the beginning to `until` (exclusive, at most the end of the month), usage from the beginning of
    the month; an organisation may have no tenant left in it. With `orgs` only those. Between two organisations the
    connection is free for other statements.
    """
    for batch in _batches(connection, orgs):
        yield from _read(connection, days, until, batch)


def _batches(connection: Connection, orgs: Collection[str] | None) -> Iterator[list[str]]:
    """Organisations with a tenant, ascending, as many together as fit in memory."""
    parameters = {"all": orgs is None, "orgs": list(orgs or ())}
    batch: list[str] = []
    tenants = 0
    for org, count in connection.execute(_ORGS, parameters).fetchall():
        if batch and tenants + count > _BATCH_TENANTS:
            yield batch
            batch, tenants = [], 0
        batch.append(org)
        tenants += count
    if batch:
        yield batch


def _read(
    connection: Connection, days: MonthDays, until: Microseconds, orgs: Sequence[str]
) -> Iterator[tuple[str, list[TenantHistory]]]:
    usage = usage_by_uid(connection, days, until, orgs)
    parameters = {
        "orgs": list(orgs),
        "start": from_microseconds(days.start),
        "end": from_microseconds(until),
        "used": list(usage),
    }
    moments = _moments_by_uid(connection, parameters)
    tenants: dict[str, list[TenantHistory]] = {org: [] for org in orgs}
    with connection.cursor() as cursor, cursor.copy(_TENANTS, parameters) as copy:
        copy.set_types(["text", "text", "text", "int8", "int8"])
        for org, uid, tenant, created_at, deleted_at in copy.rows():
            ended_at = None if deleted_at is None else from_wire(deleted_at)
            history = TenantHistory(
                uid, tenant, from_wire(created_at), ended_at, moments.get(uid, ()), usage.get(uid, ())
            )
            tenants[org].append(history)
    yield from tenants.items()


def _moments_by_uid(
    connection: Connection, parameters: dict[str, object]
) -> dict[str, list[tuple[int, int, str, str]]]:
    """The moments of all tenants that are alive in the month, in any order."""
    switches = {
        (True, True): str(Kind.ENABLED),
        (True, False): str(Kind.DISABLED),
        (False, True): str(Kind.SUSPENDED),
        (False, False): str(Kind.RESUMED),
    }
    packages: dict[str, str] = {}
    moments: defaultdict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
    with connection.cursor() as cursor, cursor.copy(_MOMENTS, parameters) as copy:
        copy.set_types(["text", "int8", "int8", "bool", "text"])
        for uid, at, seq, on, package in copy.rows():
            shared = packages.setdefault(package, package)
            moments[uid].append((from_wire(at), seq, switches[shared != "", on], shared))
    return moments
