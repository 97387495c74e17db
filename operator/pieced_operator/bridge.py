"""From the first sweep to kopf's watch without a gap: what changes while kopf starts is delivered all the same."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator import paths
from pieced_operator.api_errors import ApiRefused, Expired
from pieced_operator.cluster import Cluster, Resource

log = structlog.get_logger(__name__)

_LENGTH_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.2


class Bridge:
    """Watches tenants from a resource version on, for longer than kopf needs to list and to watch.

    While `holds`, what kopf lists is known already, or comes in its order from here.
    """

    def __init__(self, cluster: Cluster, take: Callable[[Resource, bool, float | None], None]) -> None:
        self._cluster = cluster
        self._take = take
        self.holds = False

    async def run(self, since: str) -> None:
        """Deliver every change after `since`, as a watch does; ends after a minute or where the API server forgot."""
        self.holds = True
        try:
            async with asyncio.timeout(_LENGTH_SECONDS):
                while True:
                    since = await self._follow(since)
        except TimeoutError:
            return
        except Expired as error:
            log.warning("changes during the start may be unseen", error=str(error))
        finally:
            self.holds = False

    async def _follow(self, since: str) -> str:
        try:
            async for event, resource in self._cluster.watch(paths.TENANTS, since):
                since = resource["metadata"]["resourceVersion"]
                if event != "BOOKMARK":
                    self._take(resource, event == "DELETED", None)
        except Expired:
            raise
        except (ApiRefused, Unavailable) as error:
            log.info("watch interrupted", kind="PiecedTenant", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        return since
