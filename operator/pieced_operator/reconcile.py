"""One round of work on a tenant: what is there is made what is wanted, and the status says how far it got."""

import time
from datetime import datetime, timedelta

import orjson
import structlog

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.api_errors import Conflict, NotFound
from pieced_operator.applying import Applier, Refusal
from pieced_operator.children import Children
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.conditions import (
    NAMESPACE_CONFLICT,
    Problem,
    apply_refused,
    namespace_conflict,
    resource_invalid,
)
from pieced_operator.desired.children import desired_children
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.namespace import Claim
from pieced_operator.desired.packages import unknown_packages
from pieced_operator.desired.settings import Settings as DesiredSettings
from pieced_operator.desired.storage import storage, with_storage
from pieced_operator.desired.suspension import retention, suspended_at
from pieced_operator.finalizers import remove_finalizer
from pieced_operator.first_sight import NAMESPACE_CONFLICT_SECONDS
from pieced_operator.inbox import Inbox
from pieced_operator.kubernetes_words import in_kubernetes_words
from pieced_operator.names import BILLING_FINALIZER, WORKSPACE, namespace_of
from pieced_operator.pods import Pods
from pieced_operator.readiness import Failure, Readiness, readiness
from pieced_operator.schema import ResourceInvalid
from pieced_operator.status_writer import StatusWriter
from pieced_operator.tenant import Tenant, decode_tenant
from pieced_operator.tenants import Known

log = structlog.get_logger(__name__)


class Reconciler:
    """Works on one tenant at a time and begins from its latest version each time: what was missed is of no matter."""

    def __init__(
        self,
        cluster: Cluster,
        inbox: Inbox,
        children: Children,
        pods: Pods,
        applier: Applier,
        statuses: StatusWriter,
        *,
        retention_period: timedelta,
    ) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._children = children
        self._pods = pods
        self._applier = applier
        self._statuses = statuses
        self._retention_period = retention_period
        self._desired_settings = DesiredSettings()

    async def reconcile(self, uid: str) -> float | None:
        """One round; returns after how many seconds the next is due, None when only a change makes one necessary.

        Raises Unavailable, or ApiRefused where the API server did not accept something that it may accept later.
        """
        known = self._inbox.tenants.get(uid)
        if known is None or known.version.gone or not known.version.accepted:
            return None
        resource: Resource = orjson.loads(known.body)
        if known.version.deleted_at is not None:
            return await self._tear_down(known, resource)
        try:
            tenant = decode_tenant(resource)
        except ResourceInvalid as error:
            await self._statuses.say(known, resource, problem=resource_invalid(str(error)))
            return None
        return await self._run(known, tenant, resource)

    async def _run(self, known: Known, tenant: Tenant, resource: Resource) -> float | None:
        """Children, status, and the end of a suspension that lasts too long."""
        now = self._now()
        since = suspended_at(tenant, known.version.suspend_changed_at, now)
        until = retention(tenant, since, self._retention_period) if since else None
        if until is not None and until.due(now):
            await self._end_suspended(resource)
            return None
        catalogue = self._inbox.catalogue.packages
        kept = storage(tenant, self._children.state(tenant.uid, "PersistentVolumeClaim", WORKSPACE))
        manifests = desired_children(with_storage(tenant, kept.size), catalogue, self._desired_settings)
        refused, problem = await self._converge(tenant, manifests)
        for_now = tuple(refusal.error.message for refusal in refused if refusal.comes_right)
        found = await self._readiness(tenant, manifests, now)
        await self._statuses.say(
            known,
            resource,
            problem=problem,
            suspended_at=since,
            retention=until,
            unknown_packages=unknown_packages(tenant, catalogue),
            refusals=for_now,
            refused=_failures(refused),
            storage=kept,
            readiness=found,
        )
        if for_now:
            raise Conflict(409, "Retrying", for_now[0])
        if problem is not None and problem.reason == NAMESPACE_CONFLICT:
            return NAMESPACE_CONFLICT_SECONDS
        return _seconds_until(now, until.next_at(now) if until is not None else None, found.look_again_at)

    async def _converge(self, tenant: Tenant, manifests: list[Manifest]) -> tuple[list[Refusal], Problem | None]:
        """Bring the children there; returns what was refused, and the problem that needs a person."""
        namespace = namespace_of(tenant.name)
        match await self._applier.secure_namespace(tenant, manifests[0]):
            case Claim.FOREIGN:
                return [], namespace_conflict(namespace)
            case Claim.LEAVING | Claim.ABSENT:
                leaving = Conflict(409, "Terminating", f"Namespace {namespace} is being deleted.")
                return [Refusal("Namespace", namespace, leaving)], None
        refused = await self._applier.apply(tenant, manifests)
        await self._applier.prune(tenant, manifests)
        for_good = tuple(refusal.error.message for refusal in refused if not refusal.comes_right)
        return refused, apply_refused(for_good) if for_good else None

    async def _readiness(self, tenant: Tenant, manifests: list[Manifest], now: datetime) -> Readiness:
        """How far the children are, with Kubernetes' own words where their objects do not hold them."""
        namespace = namespace_of(tenant.name)
        found = readiness(
            manifests,
            lambda kind, name: self._children.state(tenant.uid, kind, name),
            self._pods.troubles(namespace),
            now,
        )
        return await in_kubernetes_words(self._cluster, namespace, found, now)

    async def _end_suspended(self, resource: Resource) -> None:
        """The time that a suspended tenant is kept is over: delete exactly the version that says so."""
        name, uid = resource["metadata"]["name"], resource["metadata"]["uid"]
        log.info("deleting a tenant suspended for too long", tenant=name, uid=uid)
        faults.point("reconcile.before_retention_delete")
        await self._cluster.delete(paths.tenant(name), uid, resource["metadata"]["resourceVersion"])
        faults.point("reconcile.after_retention_delete")

    async def _tear_down(self, known: Known, resource: Resource) -> float | None:
        """Children go first; the finalizer goes last, when the ledger knows of the end."""
        nothing_left = await self._applier.remove_all(known.version.uid, known.version.name)
        await self._statuses.say(known, resource, deleting=True)
        if known.version.resource_version != resource["metadata"]["resourceVersion"]:
            return 0.0  # our own status write: the finalizer goes from what came of it
        if nothing_left and known.end_is_committed:
            faults.point("reconcile.before_release")
            path = paths.tenant(known.version.name)
            self._inbox.tenant(await remove_finalizer(self._cluster, path, resource, BILLING_FINALIZER))
            faults.point("reconcile.after_release")
        return None

    def _now(self) -> datetime:
        return self._cluster.clock.latest(time.monotonic())


def _failures(refused: list[Refusal]) -> tuple[Failure, ...]:
    """The children that the API server does not accept; one that is only in another's way is no failure."""
    return tuple(
        Failure(refusal.kind, refusal.name, refusal.error.reason or "Refused", refusal.error.message)
        for refusal in refused
        if not isinstance(refusal.error, Conflict | NotFound)
    )


def _seconds_until(now: datetime, *instants: datetime | None) -> float | None:
    """Until the earliest instant that is known; None where none is."""
    earliest = min((at for at in instants if at is not None), default=None)
    return None if earliest is None else (earliest - now).total_seconds()
