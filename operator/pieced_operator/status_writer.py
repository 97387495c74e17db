"""The tenant's status: written when it says something new, from exactly the version that it was worked out from."""

import time
from typing import Any

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.announce import Announcer
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.conditions import OWNED_FIELDS, Outcome, status
from pieced_operator.inbox import Inbox
from pieced_operator.names import namespace_of
from pieced_operator.tenant_status import decode_status
from pieced_operator.tenants import Known
from pieced_operator.transitions import transitions


class StatusWriter:
    """Patches the status subresource, takes in the version that comes of it, and announces transitions."""

    def __init__(self, cluster: Cluster, inbox: Inbox, announcer: Announcer) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._announcer = announcer

    async def say(self, known: Known, resource: Resource, **what: Any) -> None:
        """Say what a round of work on `resource` came to: `what` is the rest of an Outcome.

        Conflict when the resource has changed since it was read. Nothing is written when nothing is new.
        """
        namespace = namespace_of(known.version.name) if known.accepted else None
        outcome = Outcome(organisation=known.organisation, labelled=known.version.org, namespace=namespace, **what)
        written = await self._write(resource, outcome)
        known.phase = written["status"]["phase"]
        self._inbox.tenant(written, said=True)

    async def _write(self, resource: Resource, outcome: Outcome) -> Resource:
        metadata = resource["metadata"]
        before = decode_status(resource)
        now = self._cluster.clock.latest(time.monotonic())
        wanted = status(before, metadata["generation"], outcome, now)
        live = {name: value for name, value in (resource.get("status") or {}).items() if name in OWNED_FIELDS}
        if wanted == live:
            return resource
        patch: dict[str, Any] = dict.fromkeys(live, None) | wanted
        faults.point("reconcile.before_status")
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": patch}
        written = await self._cluster.merge(f"{paths.tenant(metadata['name'])}/status", body)
        faults.point("reconcile.after_status")
        notices = transitions(before.conditions, decode_status(written).conditions)
        self._announcer.announce(metadata["name"], metadata["uid"], notices)
        return written
