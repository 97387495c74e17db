"""Tenants' pods as the API server has them: listed, then watched, for what keeps them from running."""

import asyncio
from typing import Final

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator import metrics, paths
from pieced_operator.api_errors import ApiRefused, Expired
from pieced_operator.cluster import Cluster
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.names import TENANT_LABEL
from pieced_operator.patience import until_answered
from pieced_operator.pods import Pods
from pieced_operator.tenants import Tenants
from pieced_operator.workqueue import WorkQueue

log = structlog.get_logger(__name__)

_OURS: Final = TENANT_LABEL
_RETRY_SECONDS: Final = 1.0


class PodWatch:
    """Keeps Pods up to date and asks for a round of work on each tenant whose pods get into trouble or out of it."""

    def __init__(self, cluster: Cluster, pods: Pods, tenants: Tenants, work: WorkQueue[str], heart: Heartbeat) -> None:
        self._cluster = cluster
        self._pods = pods
        self._tenants = tenants
        self._work = work
        self._heart = heart

    async def run(self) -> None:
        """List and watch until cancelled."""
        since = await until_answered("pods", self._list)
        while True:
            self._heart.beat("watch Pod")
            try:
                async for event, pod in self._cluster.watch(paths.PODS, since, _OURS):
                    self._heart.beat("watch Pod")
                    since = pod["metadata"]["resourceVersion"]
                    if event != "BOOKMARK":
                        self._ask_for_work(self._pods.vanished(pod) if event == "DELETED" else self._pods.saw(pod))
            except Expired:
                since = await until_answered("pods", self._list)
            except (ApiRefused, Unavailable) as error:
                metrics.ERRORS.labels("watch").inc()
                log.info("watch interrupted", kind="Pod", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    async def _list(self) -> str:
        version, listed = "", set()
        async for page in self._cluster.pages(paths.PODS, _OURS):
            for pod in page.items:
                listed.add(pod["metadata"]["uid"])
                self._ask_for_work(self._pods.saw(pod))
            version = page.resource_version
        for tenant in self._pods.keep_only(listed):
            self._ask_for_work(tenant)
        return version

    def _ask_for_work(self, tenant: str | None) -> None:
        known = None if tenant is None else self._tenants.named(tenant)
        if known is not None:
            self._work.add(known.version.uid)
