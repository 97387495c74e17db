"""The tenant's status: written when it says something new, from exactly the version that it was worked out from."""

from datetime import datetime
from typing import Any

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.announce import Announcer
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.conditions import OWNED_FIELDS, Outcome, status
from pieced_operator.tenant import decode_status
from pieced_operator.transitions import transitions


class StatusWriter:
    """Patches the status subresource and announces transitions."""

    def __init__(self, cluster: Cluster, announcer: Announcer) -> None:
        self._cluster = cluster
        self._announcer = announcer

    async def write(self, resource: Resource, outcome: Outcome, now: datetime) -> Resource:
        """Say what a round of work came to; returns the resource as it is then.

        Conflict when the resource has changed since it was read. Nothing is written when nothing is new.
        """
        metadata = resource["metadata"]
        before = decode_status(resource)
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
