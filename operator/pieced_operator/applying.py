"""Make a tenant's children what is wanted: apply what differs, prune what is no longer wanted, touch nothing else."""

from contextlib import suppress
from typing import NamedTuple

import structlog

from pieced_billing import faults
from pieced_operator import metrics, paths
from pieced_operator.api_errors import ApiRefused, Conflict, NotFound
from pieced_operator.children import ChildKey, Children
from pieced_operator.cluster import Cluster
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.namespace import Claim, claim
from pieced_operator.live_child import LIVE_CHILD
from pieced_operator.names import namespace_of
from pieced_operator.tenant import Tenant

log = structlog.get_logger(__name__)

_SLOW_TO_END = ("Deployment", "PersistentVolumeClaim")
_LATER = frozenset({403, 404, 409})
"""Refusals that time resolves: a quota not counted yet or full, a namespace on its way, a concurrent change."""


class Refusal(NamedTuple):
    """What the API server, or the state of the child, said to applying one child."""

    kind: str
    name: str
    error: ApiRefused

    @property
    def comes_right(self) -> bool:
        """Whether the same request may be accepted later, unchanged."""
        return self.error.http_status in _LATER


class Applier:
    """Writes children, and only those that are not as wanted."""

    def __init__(self, cluster: Cluster, children: Children) -> None:
        self._cluster = cluster
        self._children = children

    async def claim_namespace(self, tenant: Tenant) -> Claim:
        """Whose the namespace of the wanted name is now."""
        try:
            live = await self._cluster.get(f"{paths.NAMESPACES}/{namespace_of(tenant.name)}")
        except NotFound:
            return Claim.ABSENT
        return claim(tenant, live)

    async def secure_namespace(self, tenant: Tenant, manifest: Manifest) -> Claim:
        """Make the namespace unless there is one; returns whose it is then.

        It is made and only made: server-side apply would take over somebody else's, so that comes when it is ours.
        """
        own = self._children.of(tenant.uid).get(("Namespace", namespace_of(tenant.name)))
        if own is not None:
            return Claim.LEAVING if own.leaving else Claim.OURS
        faults.point("reconcile.before_create_namespace")
        metadata = {key: manifest["metadata"][key] for key in ("name", "labels", "ownerReferences")}
        try:
            await self._cluster.create(
                paths.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            )
        except Conflict:
            return await self.claim_namespace(tenant)
        faults.point("reconcile.after_create_namespace")
        return Claim.OURS

    async def apply(self, tenant: Tenant, manifests: list[Manifest]) -> list[Refusal]:
        """Bring every child up to date; returns what the API server refused, and goes on with the others.

        Nothing is tried in a namespace that could not be applied.
        """
        refusals: list[Refusal] = []
        for manifest in manifests:
            try:
                await self._apply_one(tenant.uid, manifest)
            except ApiRefused as error:
                refusals.append(Refusal(manifest["kind"], manifest["metadata"]["name"], error))
                if manifest["kind"] == "Namespace":
                    break
        return refusals

    async def prune(self, tenant: Tenant, manifests: list[Manifest]) -> None:
        """Delete the children that are no longer wanted."""
        wanted = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests}
        for key in self._children.of(tenant.uid).keys() - wanted:
            await self._delete(tenant.uid, tenant.name, key)

    async def remove_all(self, uid: str, name: str) -> bool:
        """Delete the namespace and all in it; returns whether nothing is left.

        What ends slowly goes first: Kubernetes looks at a namespace that is not empty yet only every few seconds.
        """
        for key in self._slow(uid):
            await self._delete(uid, name, key)
        if not self._slow(uid):
            await self._delete(uid, name, ("Namespace", namespace_of(name)))
        return not self._children.of(uid)

    def _slow(self, uid: str) -> list[ChildKey]:
        return [key for key in self._children.of(uid) if key[0] in _SLOW_TO_END]

    async def _apply_one(self, uid: str, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        before = self._children.of(uid).get((kind, name))
        changed_by_others = before is not None and before.live is not None
        if self._children.in_sync(uid, manifest):
            return
        if before is not None and before.leaving:
            raise Conflict(409, "Terminating", f"{kind} {name} is being deleted.")
        faults.point("reconcile.before_apply")
        path = paths.child(kind, name, manifest["metadata"].get("namespace", ""))
        answer = await self._cluster.apply_as(LIVE_CHILD, path, manifest)
        faults.point("reconcile.after_apply")
        self._children.applied(kind, manifest, answer)
        if changed_by_others:
            metrics.CHILDREN_REPAIRED.inc()

    async def _delete(self, uid: str, tenant_name: str, key: ChildKey) -> None:
        child = self._children.of(uid).get(key)
        if child is None or child.leaving:
            return
        faults.point("reconcile.before_delete_child")
        with suppress(NotFound):
            if await self._cluster.delete(paths.child(*key, namespace_of(tenant_name)), child.uid):
                self._children.deleted(uid, key, child.uid)
        faults.point("reconcile.after_delete_child")
