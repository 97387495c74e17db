"""From the last position to kopf's watch without a gap: what changed before we began, and while kopf starts."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from pieced_billing import faults
from pieced_billing.errors import Unavailable
from pieced_operator import metrics, paths
from pieced_operator.api_errors import ApiRefused, Expired
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.kopf_watch import Take
from pieced_operator.replay import FirstList, Replay

log = structlog.get_logger(__name__)

_KOPF_SECONDS: Final = 60.0
_REPLAY_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.2


class Bridge:
    """Watches tenants from a resource version on, until kopf has had the time that it needs to list and to watch.

    While it `holds`, it alone delivers: what kopf lists is known already or comes from here in its order, and what
    kopf's watch delivers is kept back until it is certain that everything before it has been delivered too.
    `caught_up` is set when the changes before the first list are replayed, or the API server turns out to have
    forgotten them.
    """

    def __init__(
        self,
        cluster: Cluster,
        take: Take,
        replay: Replay,
        passed: Callable[[int], None],
        caught_up: asyncio.Event,
    ) -> None:
        self._cluster = cluster
        self._take = take
        self._replay = replay
        self._passed = passed
        self._ahead: deque[tuple[Resource, bool]] = deque()
        self.holds = True
        self._caught_up = caught_up
        self._limit = asyncio.timeout(None)

    async def run(self, first: FirstList) -> None:
        """Deliver every change since the position or the list.

        Ends a minute after kopf began, or where the API server has forgotten what comes next.
        """
        since = first.version if first.since is None else first.since
        if self._replay.is_complete():
            self._caught_up.set()
        if first.since is None:
            self._passed(first.version)
        giving_up = asyncio.get_running_loop().call_later(_REPLAY_SECONDS, self._give_up, "it takes too long")
        try:
            async with self._limit:
                while True:
                    try:
                        since = await self._follow(since)
                    except Expired as error:
                        if since >= first.version:
                            raise
                        self._give_up(str(error))
                        self._passed(first.version)
                        since = first.version
        except TimeoutError:
            log.info("kopf has taken over", ahead=len(self._ahead))
        except Expired as error:
            log.warning("changes during the start may be unseen", error=str(error))
        finally:
            giving_up.cancel()
            self._give_up("the watch ended")
            self.holds = False
            while self._ahead:
                self._take(*self._ahead.popleft(), None)

    def kopf_begins(self) -> None:
        """A minute from now kopf's watch runs."""
        if self.holds:
            self._limit.reschedule(asyncio.get_running_loop().time() + _KOPF_SECONDS)

    def from_kopf(self, resource: Resource, gone: bool, asked_at: float | None) -> None:
        """Take in what kopf delivers, now or when it is its turn."""
        if not self.holds:
            self._take(resource, gone, asked_at)
        elif asked_at is None:
            self._ahead.append((resource, gone))

    async def _follow(self, since: int) -> int:
        faults.point("replay.before_watch")
        try:
            async for event, resource in self._cluster.watch(paths.TENANTS, str(since)):
                since = int(resource["metadata"]["resourceVersion"])
                if event != "BOOKMARK":
                    self._deliver(resource, gone=event == "DELETED")
                if self._replay.is_complete():
                    self._passed(since)
                while self._ahead and int(self._ahead[0][0]["metadata"]["resourceVersion"]) <= since:
                    self._ahead.popleft()
        except Expired:
            raise
        except (ApiRefused, Unavailable) as error:
            log.info("watch interrupted", kind="PiecedTenant", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        return since

    def _deliver(self, resource: Resource, *, gone: bool) -> None:
        if not self._replay.arrived(resource, gone):
            self._take(resource, gone, None)
        elif self._replay.is_complete():
            faults.point("replay.complete")
            self._caught_up.set()

    def _give_up(self, why: str) -> None:
        """What the API server does not tell any more shows as a gap, where something changed in it."""
        left = self._replay.give_up()
        if left:
            metrics.REPLAYS_GIVEN_UP.inc()
            log.warning("changes before the start are not replayed", tenants=left, why=why)
        self._caught_up.set()
