"""A tenant seen for the first time: is it ours to run and to bill? If so it is taken on, before anything else.

Taking on is one write: the finalizer, so that it cannot vanish before its end is in the ledger, and the id by which it
is known again when a backup of it is restored under another uid.

It is quick, and has workers of its own: what the ledger is told of a new tenant waits for this, and must not wait
behind the making of other tenants' children.
"""

from typing import Final

import orjson

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.applying import Applier
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.conditions import (
    NAMESPACE_CONFLICT,
    RESOURCE_INVALID,
    Problem,
    namespace_conflict,
    organisation_missing,
    resource_invalid,
)
from pieced_operator.decode import Version, ledger_id
from pieced_operator.desired.namespace import Claim
from pieced_operator.finalizers import add_finalizer_and_annotation
from pieced_operator.inbox import Inbox
from pieced_operator.names import BILLING_FINALIZER, LEDGER_ID_ANNOTATION, namespace_of
from pieced_operator.schema import ResourceInvalid
from pieced_operator.status_writer import StatusWriter
from pieced_operator.tenant import Tenant, decode_tenant
from pieced_operator.tenants import Known

NAMESPACE_CONFLICT_SECONDS: Final = 30.0
"""How long until somebody else's namespace is looked at again: foreign namespaces are not watched."""


class FirstSight:
    """Takes tenants on, or says why not."""

    def __init__(
        self, cluster: Cluster, inbox: Inbox, applier: Applier, statuses: StatusWriter, org_label: str
    ) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._applier = applier
        self._statuses = statuses
        self._org_label = org_label

    async def meet(self, uid: str) -> float | None:
        """Look at a tenant that is not taken on; returns after how many seconds to look again, None for never.

        Raises Unavailable, and Conflict when the tenant has changed meanwhile.
        """
        known = self._inbox.tenants.get(uid)
        if known is None or (known.version.accepted and known.version.marked):
            return None
        version, resource = known.version, orjson.loads(known.body)
        problem = None if known.accepted else await self._accept(known, resource)
        if version.gone:
            if problem is not None:  # never ours, and nothing to bill: nobody will ask for it again
                self._inbox.tenants.forget(uid)
        elif problem is not None:
            await self._statuses.say(known, resource, problem=problem)
            return NAMESPACE_CONFLICT_SECONDS if problem.reason == NAMESPACE_CONFLICT else None
        elif version.deleted_at is None:  # what is being deleted takes no new finalizer
            await self._take_on(version, resource)
        return None

    async def _accept(self, known: Known, resource: Resource) -> Problem | None:
        """Decide whether the tenant is ours; returns why it is not."""
        if known.version.org is None:
            return organisation_missing(self._org_label)
        try:
            tenant: Tenant = decode_tenant(resource)
        except ResourceInvalid as error:
            self._inbox.refuse(known, RESOURCE_INVALID)
            return resource_invalid(str(error))
        if await self._applier.claim_namespace(tenant) is Claim.FOREIGN:
            self._inbox.refuse(known, NAMESPACE_CONFLICT)
            return namespace_conflict(namespace_of(tenant.name))
        self._inbox.accept(known)
        return None

    async def _take_on(self, version: Version, resource: Resource) -> None:
        """Write the finalizer and the id; who was taken on as another uid before keeps the id of then."""
        faults.point("reconcile.before_finalizer")
        path = paths.tenant(version.name)
        uid = version.restored_from or version.uid
        taken_on = await add_finalizer_and_annotation(
            self._cluster, path, resource, BILLING_FINALIZER, LEDGER_ID_ANNOTATION, ledger_id(version.name, uid)
        )
        faults.point("reconcile.after_finalizer")
        self._inbox.tenant(taken_on)
