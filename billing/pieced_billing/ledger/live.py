"""The tenants that the ledger holds to be alive: what a sweep compares with the cluster."""

from datetime import datetime
from typing import NamedTuple

from pieced_billing.store.connections import Connection


class LiveTenant(NamedTuple):
    """A tenant UID without a `deleted` event; its state was last confirmed at `confirmed_at`."""

    uid: str
    tenant: str
    org: str
    confirmed_at: datetime | None


def live_tenants(connection: Connection, cluster_id: str) -> list[LiveTenant]:
    """Every live tenant of a cluster, by name. Read them before listing the cluster: one made in between is no loss."""
    records = connection.execute(
        """SELECT tenant_uid, tenant_name, zitadel_org_id, confirmed_at FROM tenant_billing_lifecycle
           WHERE cluster_id = %s AND deleted_at IS NULL ORDER BY tenant_name, tenant_uid""",
        [cluster_id],
    )
    return [LiveTenant(*record) for record in records]
