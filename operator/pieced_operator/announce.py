"""Kubernetes Events: what `kubectl describe` shows of a tenant's transitions. Best effort, never waited for."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final
from uuid import uuid4

import structlog

from pieced_billing import faults
from pieced_billing.errors import Unavailable
from pieced_operator import metrics, paths
from pieced_operator.api_errors import ApiRefused
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.names import API_VERSION, FIELD_MANAGER, TENANT_KIND
from pieced_operator.transitions import Notice

log = structlog.get_logger(__name__)

_WAITING_LIMIT: Final = 1_000
_NOTE_LIMIT: Final = 1_000


class Announcer:
    """Posts Events one after another; those that come too fast for the API server are dropped."""

    def __init__(self, cluster: Cluster, identity: str) -> None:
        self._cluster = cluster
        self._identity = identity
        self._waiting: asyncio.Queue[Resource] = asyncio.Queue(_WAITING_LIMIT)

    def announce(self, name: str, uid: str, notices: Iterable[Notice]) -> None:
        """Queue an Event for each notice about a tenant."""
        for notice in notices:
            if self._waiting.full():
                metrics.ERRORS.labels("event_dropped").inc()
                return
            self._waiting.put_nowait(self._event(name, uid, notice))

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            event = await self._waiting.get()
            faults.point("event.before_post")
            try:
                await self._cluster.create(paths.EVENTS, event)
                faults.point("event.after_post")
            except (ApiRefused, Unavailable) as error:
                metrics.ERRORS.labels("event").inc()
                log.info("event not posted", error=str(error))

    def _event(self, name: str, uid: str, notice: Notice) -> Resource:
        now = self._cluster.clock.latest(time.monotonic()).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.{uuid4().hex[:16]}", "namespace": "default"},
            "eventTime": now,
            "type": notice.type,
            "reason": notice.reason,
            "note": notice.message[:_NOTE_LIMIT],
            "action": "Reconcile",
            "regarding": {"apiVersion": API_VERSION, "kind": TENANT_KIND, "name": name, "uid": uid},
            "reportingController": FIELD_MANAGER,
            "reportingInstance": self._identity,
        }
