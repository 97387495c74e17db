"""Every version of every tenant, to the inbox: the first list, what changed before it, and all that follows."""

import asyncio
from typing import Final

import structlog

from pieced_operator.bridge import Bridge
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.inbox import Inbox
from pieced_operator.kopf_watch import KopfWatch
from pieced_operator.login import Login
from pieced_operator.patience import until_answered
from pieced_operator.position import Position
from pieced_operator.replay import Replay
from pieced_operator.sweep import Sweep

log = structlog.get_logger(__name__)

_POSITION_SECONDS: Final = 5.0


class TenantWatch:
    """Lists once, replays what happened since the last position, and then watches for good."""

    def __init__(
        self, cluster: Cluster, login: Login, identity: str, inbox: Inbox, sweep: Sweep, position: Position
    ) -> None:
        self._cluster = cluster
        self._login = login
        self._identity = identity
        self._inbox = inbox
        self._sweep = sweep
        self._position = position
        self.caught_up = asyncio.Event()
        """Set when the past is told as far as it can be: work may begin."""

    async def run(self, last_position: "asyncio.Future[int | None]", children_read: asyncio.Event) -> None:
        """Deliver until cancelled; `last_position` may be long in coming, as the ledger's database may be away.

        kopf begins when all children are read: for every tenant that it lists it works as long as we do.
        """
        since = await _soon(last_position)
        first = await until_answered("first sweep", lambda: self._sweep.first(since))
        log.info("first sweep done", tenants=len(self._inbox.tenants), changed_since=len(first.unseen))
        replay = Replay(first, self._take_replayed, self._inbox.tenant)
        bridge = Bridge(self._cluster, self._take, replay, self._position.passed, self.caught_up)

        def take_from_kopf(resource: Resource, gone: bool, asked_at: float | None) -> None:
            if asked_at is not None and not bridge.holds:
                self._sweep.soon()  # its watch was cut: what was deleted since, kopf does not see
            bridge.from_kopf(resource, gone, asked_at)

        async with asyncio.TaskGroup() as group:
            group.create_task(bridge.run(first))
            await children_read.wait()
            bridge.kopf_begins()
            group.create_task(KopfWatch(self._login, self._identity, take_from_kopf, self._take_package).run())

    def _take(self, resource: Resource, gone: bool, asked_at: float | None) -> None:
        self._inbox.tenant(resource, asked_at, gone=gone)
        if asked_at is None:
            self._position.reached(int(resource["metadata"]["resourceVersion"]))

    def _take_replayed(self, resource: Resource, gone: bool) -> None:
        self._inbox.tenant(resource, gone=gone, replayed=True)

    def _take_package(self, resource: Resource, gone: bool, _: float | None) -> None:
        self._inbox.package(resource, gone=gone)


async def _soon(position: "asyncio.Future[int | None]") -> int | None:
    """From where to replay; None where the ledger's database does not say soon, for nothing else waits for it."""
    try:
        async with asyncio.timeout(_POSITION_SECONDS):
            return await asyncio.shield(position)
    except TimeoutError:
        log.warning("starting without a position: the ledger's database does not answer")
        return None
