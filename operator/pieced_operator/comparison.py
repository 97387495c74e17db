"""The three-way comparison of a check: what is ordered, what the ledger says, and what really runs. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from pieced_billing.ledger.discrepancy import Disagreement, Discrepancy
from pieced_billing.ledger.observation import LedgerRow
from pieced_operator.names import ASSISTANT, namespace_of, package_child

_REPAIR: Final = "`pieced ledger check --repair` records it, within bounds"


@dataclass(frozen=True, slots=True)
class Ordered:
    """A tenant's resource as it is now.

    `taken_on` says that the operator has accepted it, so that it is billed; `served` that it does what it orders, since
    its spec fits the schema.
    """

    uid: str
    tenant: str
    taken_on: bool
    leaving: bool
    suspended: bool
    packages: frozenset[str]
    served: bool = True


@dataclass(frozen=True, slots=True)
class Running:
    """A workload of a tenant that runs: a Deployment with replicas, or a pod of it. `uid` is empty where unknown."""

    tenant: str
    uid: str
    workload: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a cluster has: every tenant, the ids of the catalogue, and all that runs for tenants."""

    id: str
    tenants: Collection[Ordered]
    catalogue: AbstractSet[str]
    running: Collection[Running]


def compare(cluster: Cluster, rows: Mapping[str, LedgerRow]) -> Iterator[Discrepancy]:
    """What disagrees; `rows` are the ledger's, by UID, of all clusters and lives."""
    ordered = {one.uid: _as_served(one, rows.get(one.uid)) for one in cluster.tenants}
    for one in ordered.values():
        yield from _of_resource(one, rows.get(one.uid), cluster.catalogue)
    for row in rows.values():
        if row.cluster_id == cluster.id and row.deleted_at is None and row.uid not in ordered:
            yield Discrepancy(
                Disagreement.RECORDED_ABSENT,
                row.tenant,
                row.uid,
                "is alive in the ledger, and billed, and the cluster does not have it",
                "`pieced ledger check --repair` ends it where it was last confirmed",
            )
    yield from _of_running(cluster, ordered, rows)


def _as_served(one: Ordered, row: LedgerRow | None) -> Ordered:
    """A tenant with what counts for it: of orders that do not fit the schema, those that it had before."""
    if one.served or row is None:
        return one
    return replace(one, suspended=row.suspended, packages=row.packages)


def _of_resource(one: Ordered, row: LedgerRow | None, catalogue: AbstractSet[str]) -> Iterator[Discrepancy]:
    if not one.taken_on:
        return
    if row is None:
        if not one.leaving:
            what = "was taken on by the operator and is not in the ledger: it is not billed"
            yield Discrepancy(Disagreement.RUNNING_NOT_RECORDED, one.tenant, one.uid, what, _REPAIR)
    elif row.deleted_at is None:
        yield from _of_state(one, row, catalogue)
    elif not one.leaving:
        what = f"exists again after its end in the ledger, {row.deleted_at.isoformat()}: it is not billed"
        to_do = "an end stays: delete the tenant, and make it anew if it is to be kept"
        yield Discrepancy(Disagreement.RUNNING_NOT_RECORDED, one.tenant, one.uid, what, to_do)


def _of_state(one: Ordered, row: LedgerRow, catalogue: AbstractSet[str]) -> Iterator[Discrepancy]:
    """A tenant that both know to be alive: what the ledger says of it otherwise than its resource."""
    said: list[str] = []
    if one.leaving:
        said.append("its deletion")
    if one.suspended != row.suspended:
        said.append("that it is suspended" if one.suspended else "that it was resumed")
    said.extend(f"that {package} is enabled" for package in sorted((one.packages & catalogue) - row.packages))
    said.extend(f"that {package} is disabled" for package in sorted(row.packages - one.packages))
    if said:
        what = f"the ledger lacks {', '.join(said)}"
        yield Discrepancy(Disagreement.RECORDED_OTHERWISE, one.tenant, one.uid, what, _REPAIR)
    for package in sorted((row.packages & one.packages) - catalogue):
        what = f"{package} is enabled, and billed, and the catalogue does not have it"
        to_do = f"apply the PiecedPackage {package} again, or take it out of the tenant's spec"
        yield Discrepancy(Disagreement.NOT_IN_CATALOGUE, one.tenant, one.uid, what, to_do)


def _of_running(
    cluster: Cluster, ordered: Mapping[str, Ordered], rows: Mapping[str, LedgerRow]
) -> Iterator[Discrepancy]:
    named = {one.tenant: one for one in cluster.tenants}
    running = defaultdict[tuple[str, str], set[str]](set)
    for workload in cluster.running:
        uid = workload.uid or (named[workload.tenant].uid if workload.tenant in named else "")
        running[workload.tenant, uid].add(workload.workload)
    for (tenant, uid), workloads in sorted(running.items()):
        if (one := ordered.get(uid)) is None:
            yield _unordered(tenant, uid, workloads)
        elif one.suspended and not one.leaving:
            yield _not_suspended(one, workloads)
        elif (row := rows.get(uid)) is not None and row.deleted_at is None:
            packages = row.packages | (one.packages & cluster.catalogue)
            if unbilled := workloads - {ASSISTANT, *map(package_child, packages)}:
                yield _unbilled(one, unbilled)


def _unordered(tenant: str, uid: str, workloads: AbstractSet[str]) -> Discrepancy:
    what = f"{_listed(workloads)} in {namespace_of(tenant)}, and there is no such tenant"
    to_do = f"if nobody needs it: kubectl delete namespace {namespace_of(tenant)}"
    return Discrepancy(Disagreement.RUNNING_NOT_RECORDED, tenant, uid, what, to_do)


def _not_suspended(one: Ordered, workloads: AbstractSet[str]) -> Discrepancy:
    what = f"is suspended, and not billed, and {_listed(workloads)}"
    to_do = "the operator stops it within minutes; if it runs on, its log says what the API server answers"
    return Discrepancy(Disagreement.SUSPENDED_RUNNING, one.tenant, one.uid, what, to_do)


def _unbilled(one: Ordered, workloads: AbstractSet[str]) -> Discrepancy:
    what = f"{_listed(workloads)}, and no package is enabled that would"
    to_do = "the operator removes what is not ordered within minutes; if it stays, somebody else made it"
    return Discrepancy(Disagreement.RUNNING_NOT_RECORDED, one.tenant, one.uid, what, to_do)


def _listed(workloads: AbstractSet[str]) -> str:
    return f"{', '.join(sorted(workloads))} {'runs' if len(workloads) == 1 else 'run'}"
