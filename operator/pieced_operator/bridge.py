"""From the first sweep to kopf's watch without a gap: what changes while kopf starts is delivered all the same."""

import asyncio
from collections import deque
from typing import Final

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator import paths
from pieced_operator.api_errors import ApiRefused, Expired
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.kopf_watch import Take

log = structlog.get_logger(__name__)

_LENGTH_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.2


class Bridge:
    """Watches tenants from a resource version on, for longer than kopf needs to list and to watch.

    While it `holds`, it alone delivers: what kopf lists is known already or comes from here in its order, and what
    kopf's watch delivers is kept back until it is certain that everything before it has been delivered too.
    """

    def __init__(self, cluster: Cluster, take: Take) -> None:
        self._cluster = cluster
        self._take = take
        self._ahead: deque[tuple[Resource, bool]] = deque()
        self.holds = True

    async def run(self, since: str) -> None:
        """Deliver every change after `since`, as a watch does; ends after a minute or where the API server forgot."""
        try:
            async with asyncio.timeout(_LENGTH_SECONDS):
                while True:
                    since = await self._follow(since)
        except TimeoutError:
            log.info("kopf has taken over", ahead=len(self._ahead))
        except Expired as error:
            log.warning("changes during the start may be unseen", error=str(error))
        finally:
            self.holds = False
            while self._ahead:
                self._take(*self._ahead.popleft(), None)

    def from_kopf(self, resource: Resource, gone: bool, asked_at: float | None) -> None:
        """Take in what kopf delivers, now or when it is its turn."""
        if not self.holds:
            self._take(resource, gone, asked_at)
        elif asked_at is None:
            self._ahead.append((resource, gone))

    async def _follow(self, since: str) -> str:
        try:
            async for event, resource in self._cluster.watch(paths.TENANTS, since):
                since = resource["metadata"]["resourceVersion"]
                if event != "BOOKMARK":
                    self._take(resource, event == "DELETED", None)
                while self._ahead and int(self._ahead[0][0]["metadata"]["resourceVersion"]) <= int(since):
                    self._ahead.popleft()
        except Expired:
            raise
        except (ApiRefused, Unavailable) as error:
            log.info("watch interrupted", kind="PiecedTenant", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        return since
