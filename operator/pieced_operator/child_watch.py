"""Children as the API server has them: read once beside their tenants, then watched, kind by kind."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator import metrics, paths
from pieced_operator.api_errors import ApiRefused, Expired
from pieced_operator.children import Children
from pieced_operator.cluster import Cluster, Page
from pieced_operator.desired.children import CHILD_KINDS
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.listing import side_by_side
from pieced_operator.live_child import LIVE_CHILD, LiveChild
from pieced_operator.names import FIELD_MANAGER, MANAGED_BY_LABEL, TENANT_LABEL, namespace_of
from pieced_operator.tenants import Tenants
from pieced_operator.workqueue import WorkQueue

log = structlog.get_logger(__name__)

_OURS: Final = f"{MANAGED_BY_LABEL}={FIELD_MANAGER}"
_RETRY_SECONDS: Final = 1.0
_WAITING_TENANTS: Final = 500
_PAUSE_SECONDS: Final = 0.01


class ChildWatch:
    """Keeps Children up to date and asks for a round of work on each tenant that a change concerns."""

    def __init__(self, cluster: Cluster, children: Children, tenants: Tenants, work: WorkQueue[str], heart: Heartbeat):
        self._cluster = cluster
        self._children = children
        self._tenants = tenants
        self._work = work
        self._heart = heart
        self._versions: dict[str, str] = {}
        self._unread: set[str] = set()
        self.loading = asyncio.Event()
        """Set as soon as it is known whose children are still to be read: work may begin."""
        self.loaded = asyncio.Event()
        """Set when all have been read."""

    async def load(self) -> None:
        """Read the children of all kinds side by side, in the order of their namespaces.

        Work on a tenant begins once all its children have been read: it is compared while their content is at hand, and
        little of that is in memory at any time.
        """
        self._unread = {known.version.uid for known in self._tenants}
        self.loading.set()
        await self._list("Namespace")
        waiting = deque(
            sorted((_order(namespace_of(known.version.name)), known.version.uid) for known in self._tenants)
        )
        kinds = [kind.kind for kind in CHILD_KINDS if kind.namespaced]
        async with side_by_side({kind: self._pages(kind) for kind in kinds}) as lists:
            reached = dict.fromkeys(kinds, "")
            while reached:
                kind = min(reached, key=lambda one: reached[one])
                page = await lists.next(kind)
                if page is None:
                    del reached[kind]
                    continue
                self._take_page(kind, page)
                if page.items:
                    reached[kind] = _order(page.items[-1].metadata.namespace or "")
                while waiting and waiting[0][0] < min(reached.values()):
                    self._has_been_read(waiting.popleft()[1])
                while len(self._work) > _WAITING_TENANTS:
                    await asyncio.sleep(_PAUSE_SECONDS)
        for _, uid in waiting:
            self._has_been_read(uid)
        self.loaded.set()

    @property
    def unread(self) -> int:
        """Of how many tenants the children are still to be read."""
        return len(self._unread) if self.loading.is_set() else len(self._tenants)

    def has_read(self, uid: str) -> bool:
        """Whether the children of a tenant are known."""
        return uid not in self._unread

    async def run(self) -> None:
        """Watch all kinds until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in CHILD_KINDS:
                group.create_task(self._follow(kind.kind))

    async def _follow(self, kind: str) -> None:
        while True:
            self._heart.beat(f"watch {kind}")
            try:
                async for event, child in self._cluster.watch_as(
                    LIVE_CHILD, paths.children(kind), self._versions[kind], _OURS
                ):
                    self._heart.beat(f"watch {kind}")
                    self._versions[kind] = child.metadata.resource_version
                    self._take(kind, event, child)
            except Expired:
                await self._list_again(kind)
            except (ApiRefused, Unavailable) as error:
                metrics.ERRORS.labels("watch").inc()
                log.info("watch interrupted", kind=kind, error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    def _take(self, kind: str, event: str, child: LiveChild) -> None:
        if event == "BOOKMARK":
            return
        gone = event == "DELETED"
        uid = self._children.vanished(kind, child) if gone else self._children.saw(kind, child)
        if uid is not None:
            self._work.add(uid)
        if gone and kind == "Namespace":  # its name is free now, maybe for another tenant that waits for it
            successor = self._tenants.named(child.metadata.label(TENANT_LABEL))
            if successor is not None:
                self._work.add(successor.version.uid)

    async def _list_again(self, kind: str) -> None:
        """After a gap in the watch: take in what is there and forget what is not."""
        log.info("watch expired, listing", kind=kind)
        for tenant_uid in self._children.keep_only(kind, await self._list(kind)):
            self._work.add(tenant_uid)

    async def _list(self, kind: str) -> set[str]:
        uids: set[str] = set()
        async for page in self._pages(kind):
            uids.update(child.metadata.uid for child in page.items)
            self._take_page(kind, page)
        return uids

    def _take_page(self, kind: str, page: Page[LiveChild]) -> None:
        for child in page.items:
            uid = self._children.saw(kind, child)
            if uid is not None and self.has_read(uid):
                self._work.add(uid)
        self._versions[kind] = page.resource_version

    def _has_been_read(self, uid: str) -> None:
        self._unread.discard(uid)
        self._work.add(uid)

    def _pages(self, kind: str) -> AsyncIterator[Page[LiveChild]]:
        return self._cluster.pages_as(LIVE_CHILD, paths.children(kind), _OURS)


def _order(namespace: str) -> str:
    """What etcd sorts namespaced objects by: the part of their key up to and including the slash."""
    return f"{namespace}/"
