"""The ledger as rating reads it: the histories of tenants, organisation by organisation."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pieced_billing.calendar import Microseconds, MonthDays, from_microseconds
from pieced_billing.ledger.chosen import Chosen, by_uid, of_organisations
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.store.bulk import bulk_rows
from pieced_billing.store.connections import Connection
from pieced_billing.store.instants import from_wire
from pieced_billing.usage.gaps import usage_gaps
from pieced_billing.usage.read import usage_by_tenant

_BATCH_TENANTS: Final = 20_000
"""So many tenants are in memory at once, or those of one organisation if it has more."""

_ORGS: Final = """
SELECT zitadel_org_id, count(*) FROM tenant_billing_lifecycle
WHERE %(all)s OR zitadel_org_id = ANY(%(orgs)s)
GROUP BY zitadel_org_id ORDER BY zitadel_org_id COLLATE "C"
"""

# A tenant that ended before the month has nothing on its bill but usage.
_TENANTS: Final = """
SELECT zitadel_org_id, id, tenant_uid, tenant_name, created_at, deleted_at FROM tenant_billing_lifecycle AS tenant
WHERE {chosen} AND (created_at < %(end)s AND (deleted_at IS NULL OR deleted_at > %(start)s)
    OR id = ANY(%(used)s))
"""

# LATERAL, and OFFSET to keep it so: the moments of each tenant by index, however long the tables grow.
_MOMENTS: Final = """
SELECT tenant.id, event.*
FROM tenant_billing_lifecycle AS tenant CROSS JOIN LATERAL (
    SELECT occurred_at, seq, event_kind, skill_id FROM tenant_skill_events
    WHERE tenant_uid = tenant.tenant_uid AND occurred_at < %(end)s
    UNION ALL
    SELECT occurred_at, seq, event_kind, '' FROM tenant_suspension_events
    WHERE tenant_uid = tenant.tenant_uid AND occurred_at < %(end)s
    OFFSET 0) AS event
WHERE {chosen} AND (tenant.deleted_at IS NULL OR tenant.deleted_at > %(start)s)
"""


def histories(
    connection: Connection, days: MonthDays, until: Microseconds, orgs: Collection[str] | None = None
) -> Iterator[tuple[str, list[TenantHistory]]]:
    """Every organisation with a tenant in the ledger, ascending, with what its bill of the month depends on.

    Moments reach from the beginning to `until` (exclusive, at most the end of the month), usage from the beginning of
    the month; an organisation may have no tenant left in it. With `orgs` only those. Between two organisations the
    connection is free for other statements.
    """
    for batch in organisations(connection, _BATCH_TENANTS, orgs):
        tenants: dict[str, list[TenantHistory]] = {org: [] for org in batch}
        for org, history in _read(connection, days, until, of_organisations(batch)):
            tenants[org].append(history)
        yield from tenants.items()


def histories_of(
    connection: Connection, days: MonthDays, until: Microseconds, uids: Sequence[str]
) -> Iterator[tuple[str, TenantHistory]]:
    """The same for tenants by UID, each with its organisation; one that has nothing to do with the month is left out.

    The connection is busy until the last is taken.
    """
    return _read(connection, days, until, by_uid(uids))


def organisations(
    connection: Connection, tenants_at_once: int, orgs: Collection[str] | None = None
) -> Iterator[list[str]]:
    """Organisations with a tenant, ascending, in batches of so many tenants at most (or one organisation with more)."""
    parameters = {"all": orgs is None, "orgs": list(orgs or ())}
    batch: list[str] = []
    tenants = 0
    for org, count in connection.execute(_ORGS, parameters).fetchall():
        if batch and tenants + count > tenants_at_once:
            yield batch
            batch, tenants = [], 0
        batch.append(org)
        tenants += count
    if batch:
        yield batch


def _read(
    connection: Connection, days: MonthDays, until: Microseconds, chosen: Chosen
) -> Iterator[tuple[str, TenantHistory]]:
    usage = usage_by_tenant(connection, days, until, chosen)
    gaps = usage_gaps(connection, days, until, chosen)
    parameters = {
        "chosen": chosen.values,
        "start": from_microseconds(days.start),
        "end": from_microseconds(until),
        "used": list(usage),
    }
    moments = _moments_by_tenant(connection, chosen, parameters)
    query = _TENANTS.format(chosen=chosen.condition)
    rows = bulk_rows(connection, query, parameters, few=chosen.few)
    for org, tenant_id, uid, tenant, created_at, deleted_at in rows:
        ended_at = None if deleted_at is None else from_wire(deleted_at)
        of_month = moments.get(tenant_id, ()), usage.get(tenant_id, ()), gaps.get(tenant_id, ())
        yield org, TenantHistory(uid, tenant, from_wire(created_at), ended_at, *of_month)


def _moments_by_tenant(
    connection: Connection, chosen: Chosen, parameters: Mapping[str, object]
) -> Mapping[int, list[tuple[int, int, str, str]]]:
    """The moments of all tenants that are alive in the month, in any order, by the id of the tenant's row."""
    moments: defaultdict[int, list[tuple[int, int, str, str]]] = defaultdict(list)
    query = _MOMENTS.format(chosen=chosen.condition)
    for tenant_id, at, seq, kind, package in bulk_rows(connection, query, parameters, few=chosen.few):
        moments[tenant_id].append((from_wire(at), seq, kind, package))
    return moments
