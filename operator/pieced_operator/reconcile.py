"""One round of work on a tenant: what is there is made what is wanted, and the status says how far it got."""

import time
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.api_errors import Conflict
from pieced_operator.applying import Applier, comes_right
from pieced_operator.children import Children
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.conditions import (
    NAMESPACE_CONFLICT,
    Outcome,
    Problem,
    apply_refused,
    namespace_conflict,
    organisation_missing,
    resource_invalid,
)
from pieced_operator.desired.children import desired_children
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.namespace import Claim
from pieced_operator.desired.packages import unknown_packages
from pieced_operator.desired.settings import Settings as DesiredSettings
from pieced_operator.desired.suspension import retention, suspended_at
from pieced_operator.finalizers import add_finalizer, remove_finalizer
from pieced_operator.inbox import Inbox
from pieced_operator.names import BILLING_FINALIZER, namespace_of
from pieced_operator.readiness import readiness
from pieced_operator.schema import ResourceInvalid
from pieced_operator.status_writer import StatusWriter
from pieced_operator.tenant import Tenant, decode_tenant
from pieced_operator.tenants import Known

log = structlog.get_logger(__name__)

_NAMESPACE_CONFLICT_SECONDS: Final = 30.0
"""How long until somebody else's namespace is looked at again: foreign namespaces are not watched."""


class Reconciler:
    """Works on one tenant at a time and begins from its latest version each time: what was missed is of no matter."""

    def __init__(
        self,
        cluster: Cluster,
        inbox: Inbox,
        children: Children,
        statuses: StatusWriter,
        org_label: str,
        retention_period: timedelta,
    ) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._children = children
        self._applier = Applier(cluster, children)
        self._statuses = statuses
        self._org_label = org_label
        self._retention_period = retention_period
        self._desired_settings = DesiredSettings()

    async def reconcile(self, uid: str) -> float | None:
        """One round; returns after how many seconds the next is due, None when only a change makes one necessary.

        Raises Unavailable, or ApiRefused where the API server did not accept something that it may accept later.
        """
        known = self._inbox.tenants.get(uid)
        if known is None:
            return None
        version = known.version
        resource: Resource = orjson.loads(known.body)
        if version.deleted_at is not None and not version.gone:
            await self._tear_down(known, resource)
            return None
        try:
            tenant = decode_tenant(resource)
            problem = None if known.accepted else await self._accept(known, tenant)
        except ResourceInvalid as error:
            problem = resource_invalid(str(error))
        if version.gone:
            if problem is not None:  # never ours, and nothing to bill: nobody will ask for it again
                self._inbox.tenants.forget(uid)
            return None
        if problem is not None:
            await self._say(known, resource, self._outcome(known, problem=problem))
            return _NAMESPACE_CONFLICT_SECONDS if problem.reason == NAMESPACE_CONFLICT else None
        if not version.accepted:
            resource = await self._take_on(resource)
        return await self._run(known, tenant, resource)

    async def _accept(self, known: Known, tenant: Tenant) -> Problem | None:
        """Decide whether the tenant is ours to run and to bill; returns why it is not."""
        if known.version.org is None:
            return organisation_missing(self._org_label)
        if await self._applier.claim_namespace(tenant) is Claim.FOREIGN:
            self._inbox.refuse(known, NAMESPACE_CONFLICT)
            return namespace_conflict(namespace_of(tenant.name))
        self._inbox.accept(known)
        return None

    async def _take_on(self, resource: Resource) -> Resource:
        """Put the finalizer on: from here on the tenant cannot vanish before its end is in the ledger."""
        faults.point("reconcile.before_finalizer")
        path = paths.tenant(resource["metadata"]["name"])
        taken_on = await add_finalizer(self._cluster, path, resource, BILLING_FINALIZER)
        faults.point("reconcile.after_finalizer")
        self._inbox.tenant(taken_on)
        return taken_on

    async def _run(self, known: Known, tenant: Tenant, resource: Resource) -> float | None:
        """Children, status, and the end of a suspension that lasts too long."""
        now = self._now()
        since = suspended_at(tenant, known.version.suspend_changed_at, now)
        until = retention(tenant, since, self._retention_period) if since else None
        if until is not None and until.due(now):
            await self._end_suspended(resource)
            return None
        catalogue = self._inbox.catalogue.packages
        manifests = desired_children(tenant, catalogue, self._desired_settings)
        refusals, problem = await self._converge(tenant, manifests)
        outcome = self._outcome(
            known,
            problem=problem,
            suspended_at=since,
            retention=until,
            unknown_packages=unknown_packages(tenant, catalogue),
            refusals=refusals,
            readiness=readiness(manifests, lambda kind, name: self._children.state(tenant.uid, kind, name)),
        )
        await self._say(known, resource, outcome)
        if refusals:
            raise Conflict(409, "Retrying", refusals[0])
        if problem is not None and problem.reason == NAMESPACE_CONFLICT:
            return _NAMESPACE_CONFLICT_SECONDS
        return (until.due_at - now).total_seconds() if until is not None and until.hold is None else None

    async def _converge(self, tenant: Tenant, manifests: list[Manifest]) -> tuple[tuple[str, ...], Problem | None]:
        """Bring the children there; returns what was refused for now, and the problem that needs a person."""
        namespace = namespace_of(tenant.name)
        match await self._applier.claim_namespace(tenant):
            case Claim.FOREIGN:
                return (), namespace_conflict(namespace)
            case Claim.LEAVING:
                return (f"Namespace {namespace} is being deleted.",), None
            case Claim.ABSENT:
                await self._applier.create_namespace(manifests[0])
        refused = await self._applier.apply(tenant, manifests)
        await self._applier.prune(tenant, manifests)
        for_good = tuple(refusal.message for refusal in refused if not comes_right(refusal))
        for_now = tuple(refusal.message for refusal in refused if comes_right(refusal))
        return for_now, apply_refused(for_good) if for_good else None

    async def _end_suspended(self, resource: Resource) -> None:
        """The time that a suspended tenant is kept is over: delete exactly the version that says so."""
        name, uid = resource["metadata"]["name"], resource["metadata"]["uid"]
        log.info("deleting a tenant suspended for too long", tenant=name, uid=uid)
        faults.point("reconcile.before_retention_delete")
        await self._cluster.delete(paths.tenant(name), uid, resource["metadata"]["resourceVersion"])
        faults.point("reconcile.after_retention_delete")

    async def _tear_down(self, known: Known, resource: Resource) -> None:
        """Children go first; the finalizer goes last, when the ledger knows of the end."""
        if not known.version.accepted:
            return
        nothing_left = await self._applier.remove_all(known.version.uid, known.version.name)
        await self._say(known, resource, self._outcome(known, deleting=True))
        if known.version.resource_version != resource["metadata"]["resourceVersion"]:
            return  # our own status write; it leads to another round
        if nothing_left and known.end_is_committed:
            faults.point("reconcile.before_release")
            path = paths.tenant(known.version.name)
            self._inbox.tenant(await remove_finalizer(self._cluster, path, resource, BILLING_FINALIZER))
            faults.point("reconcile.after_release")

    async def _say(self, known: Known, resource: Resource, outcome: Outcome) -> None:
        written = await self._statuses.write(resource, outcome, self._now())
        known.phase = written["status"]["phase"]
        self._inbox.tenant(written)

    def _outcome(self, known: Known, **what: Any) -> Outcome:
        namespace = namespace_of(known.version.name) if known.accepted else None
        return Outcome(organisation=known.organisation, labelled=known.version.org, namespace=namespace, **what)

    def _now(self) -> datetime:
        return self._cluster.clock.latest(time.monotonic())
