"""A cluster that ran before its ledger did: every live tenant is recorded as it is, with the times that it tells."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.live import live_tenants
from pieced_billing.ledger.observation import Observation
from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import Connection
from pieced_operator import paths
from pieced_operator.catalogue import Catalogue
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.decode import Version, decode_version, existed_from
from pieced_operator.desired.namespace import Claim, claim
from pieced_operator.names import namespace_of
from pieced_operator.observing import Reading, observation
from pieced_operator.schema import ResourceInvalid
from pieced_operator.tenant import decode_tenant

BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a backfill read: how many tenants there are, and what those say that are ours to bill."""

    examined: int
    observations: list[Observation]


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a backfill did: tenants looked at, and rows and events that were not there before."""

    examined: int
    tenants: int
    package_events: int
    suspension_events: int


async def read_snapshot(cluster: Cluster, org_label: str) -> Snapshot:
    """Read every live tenant. Raises ApiRefused and Unavailable."""
    system = await cluster.get(f"{paths.NAMESPACES}/kube-system")
    catalogue = Catalogue()
    for resource in await _all(cluster, paths.PACKAGES):
        catalogue.saw(resource)
    namespaces = {namespace["metadata"]["name"]: namespace for namespace in await _all(cluster, paths.NAMESPACES)}
    asked_at = cluster.clock.latest(time.monotonic())
    tenants = await _all(cluster, paths.TENANTS)
    reading = Reading(BACKFILL, cluster.clock.latest(time.monotonic()), asked_at)
    decoded = [(resource, _version(resource, org_label)) for resource in tenants]
    observations = [
        observation(
            version,
            reading,
            cluster_id=system["metadata"]["uid"],
            organisation=version.organisation,
            began=existed_from(version, version.refused_for, asked_at, as_written=False),
            catalogued_at=catalogue.catalogued_at,
        )
        for resource, version in decoded
        if _is_ours(resource, version, namespaces)
    ]
    return Snapshot(len(tenants), observations)


def record_snapshot(connection: Connection, snapshot: Snapshot) -> Backfilled:
    """Write the tenants that the ledger does not know yet; a second time that is none. One transaction per tenant.

    What becomes of the others the operator tells, who may still have every version of them.
    """
    kinds: Counter[Kind] = Counter()
    clusters = {seen.cluster_id for seen in snapshot.observations}
    with connection.transaction():
        known = {one.uid for cluster_id in clusters for one in live_tenants(connection, cluster_id)}
    for seen in snapshot.observations:
        if seen.uid in known:
            continue
        kinds.update(event.kind for event in observe(connection, seen))
    return Backfilled(
        snapshot.examined,
        tenants=kinds[Kind.CREATED],
        package_events=kinds[Kind.ENABLED] + kinds[Kind.DISABLED],
        suspension_events=kinds[Kind.SUSPENDED] + kinds[Kind.RESUMED],
    )


async def _all(cluster: Cluster, path: str) -> list[Resource]:
    return [resource async for page in cluster.pages(path) for resource in page.items]


def _version(resource: Resource, org_label: str) -> Version:
    """A tenant's version; since when it is suspended, its status knows better than whoever wrote last."""
    version = decode_version(resource, org_label)
    suspended_at = (resource.get("status") or {}).get("suspendedAt")
    if version.suspended and suspended_at:
        return replace(version, suspend_changed_at=datetime.fromisoformat(suspended_at))
    return version


def _is_ours(resource: Resource, version: Version, namespaces: dict[str, Resource]) -> bool:
    """Whether the operator has taken the tenant on, or would."""
    if version.accepted:
        return True
    namespace = namespaces.get(namespace_of(version.name))
    try:
        return version.org is not None and claim(decode_tenant(resource), namespace) is not Claim.FOREIGN
    except ResourceInvalid:
        return False
