"""The replica that holds the Lease: everything that runs while it does."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

import structlog

from pieced_billing.ledger.events import Event
from pieced_billing.ledger.observation import Observation
from pieced_operator import collector, metrics
from pieced_operator.announce import Announcer
from pieced_operator.applying import Applier
from pieced_operator.backlog import Backlog
from pieced_operator.child_watch import ChildWatch
from pieced_operator.children import Children
from pieced_operator.cluster import Cluster
from pieced_operator.cost_keeper import CostKeeper
from pieced_operator.fetching import fetching
from pieced_operator.first_sight import FirstSight
from pieced_operator.halts import ClusterReplaced
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.lease import Lease
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.ledger_writer import LedgerWriter
from pieced_operator.login import Login
from pieced_operator.migrate import migrated
from pieced_operator.outage import Outage
from pieced_operator.packages_in_use import reconcile_package
from pieced_operator.patience import until_answered
from pieced_operator.pod_watch import PodWatch
from pieced_operator.pods import Pods
from pieced_operator.position import Position
from pieced_operator.position_keeper import PositionKeeper
from pieced_operator.published_catalogue import PublishedCatalogue
from pieced_operator.reconcile import Reconciler
from pieced_operator.safekeeping import Safekeeping
from pieced_operator.settings import Settings
from pieced_operator.status_writer import StatusWriter
from pieced_operator.sweep import Sweep
from pieced_operator.tenant_watch import TenantWatch
from pieced_operator.workers import work_forever
from pieced_operator.workqueue import Queues

log = structlog.get_logger(__name__)

_WORKERS: Final = 4  # more of them only have the API server busy when the ledger waits for it
_FIRST_SIGHT_WORKERS: Final = 4
_DRAIN_SECONDS: Final = 10.0


class Leading:
    """All parts of a working operator, wired together."""

    def __init__(
        self, settings: Settings, cluster: Cluster, cluster_id: str, login: Login, heart: Heartbeat, *, migrate: bool
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._heart = heart
        self._migrate = migrate
        self._queues = Queues()
        self._backlog = Backlog()
        self._inbox = Inbox(cluster_id, settings.org_label, cluster.clock, self._backlog, self._queues)
        self._outage = Outage()
        self._safekeeping = Safekeeping(cluster, self._inbox, self._backlog, self._outage)
        self._published_catalogue = PublishedCatalogue(cluster, self._inbox.catalogue)
        self._children = Children()
        pods = Pods()
        self._pod_watch = PodWatch(cluster, pods, self._inbox.tenants, self._queues.tenants, heart)
        self._child_watch = ChildWatch(cluster, self._children, self._inbox.tenants, self._queues.tenants, heart)
        self._announcer = Announcer(cluster, settings.identity)
        applier = Applier(cluster, self._children)
        statuses = StatusWriter(cluster, self._inbox, self._announcer)
        self._first_sight = FirstSight(cluster, self._inbox, applier, statuses, settings.org_label)
        self._reconciler = Reconciler(
            cluster,
            self._inbox,
            self._children,
            pods,
            applier,
            statuses,
            retention_period=settings.retention_period,
        )
        ledger = LedgerReader(settings.database.application, cluster_id)
        self._sweep = Sweep(cluster, cluster_id, self._inbox, ledger, heart)
        self._costs = CostKeeper(cluster, self._inbox, settings.database.application, heart)
        self._loop = asyncio.get_running_loop()
        position = Position(self._backlog, self._inbox.tenants)
        self._keeper = PositionKeeper(settings.database.application, cluster_id, position)
        self._last_position: asyncio.Future[int | None] = self._loop.create_future()
        self._tenant_watch = TenantWatch(cluster, login, settings.identity, self._inbox, self._sweep, position)

    async def run(self, lease: Lease, stop: asyncio.Event) -> None:
        """Work until told to stop; raises what ended one of the loops if one ends by itself.

        Where another cluster answers than the one that we began with, nothing is done any more, until told to stop:
        what to make of it is for a person to say, whom the metrics have to reach.
        """
        keeping, writing = self._start(lease.keep(self._sweep.soon)), self._start(self._write_ledger())
        announcing, intake = self._start(self._announcer.run()), self._start(self._take_in())
        stopping = self._start(stop.wait())
        tasks = (keeping, writing, announcing, intake)
        done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await _end(intake, stopping)
        if writing not in done:
            await self._drain()
            await self._keeper.save()
        await _end(*tasks)
        for failure in filter(None, (task.exception() for task in done - {stopping})):
            cause = _cause(failure)
            if not isinstance(cause, ClusterReplaced):
                raise cause
            self._heart.rest()
            await stop.wait()

    async def _take_in(self) -> None:
        """List everything, then watch everything and work on it, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tenant_watch.run(self._last_position, self._child_watch.loaded))
            await self._tenant_watch.caught_up.wait()
            group.create_task(self._watch_children())
            group.create_task(self._pod_watch.run())
            group.create_task(self._costs.run())
            group.create_task(self._sweep.run(self._child_watch.loaded))
            group.create_task(self._safekeeping.run())
            group.create_task(work_forever(self._queues.packages, self._work_on_package))
            for _ in range(_FIRST_SIGHT_WORKERS):
                group.create_task(work_forever(self._queues.first_sight, self._first_sight.meet))
            for _ in range(_WORKERS):
                group.create_task(work_forever(self._queues.tenants, self._work_on_tenant))

    def refresh_metrics(self) -> None:
        """Set the gauges that are worked out when somebody asks."""
        oldest = self._backlog.oldest_since()
        metrics.LEDGER_QUEUE_DEPTH.set(len(self._backlog))
        metrics.LEDGER_OLDEST_PENDING.set(0 if oldest is None else time.monotonic() - oldest)
        metrics.RECONCILE_QUEUE_DEPTH.set(len(self._queues))
        metrics.CHILDREN_UNREAD.set(self._child_watch.unread)
        phases = Counter(known.phase for known in self._inbox.tenants)
        metrics.TENANTS.clear()
        for phase, count in phases.items():
            metrics.TENANTS.labels(phase).set(count)

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self._loop.create_task(coroutine)

    async def _watch_children(self) -> None:
        await until_answered("children", self._child_watch.load)
        log.info("children read", children=len(self._children))
        collector.leave_alone_what_was_read()
        await self._child_watch.run()

    async def _write_ledger(self) -> None:
        await migrated(self._settings.database, upgrade=self._migrate)
        metrics.LEDGER_DATABASE_UP.set(1)  # on a cluster without tenants nothing is written that would say so
        self._last_position.set_result(await until_answered("position", self._keeper.read))
        self._outage.ended()
        url = self._settings.database.application
        fetch_again = partial(fetching, self._cluster, self._inbox, self._loop)
        writer = LedgerWriter(url, self._backlog, self._outage, fetch_again, self._committed)
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.run())
            group.create_task(self._keeper.run())

    async def _work_on_tenant(self, uid: str) -> float | None:
        await self._child_watch.loading.wait()
        if not self._child_watch.has_read(uid):
            return None  # it comes back when its children have been read
        return await self._reconciler.reconcile(uid)

    async def _work_on_package(self, name: str) -> None:
        await reconcile_package(self._cluster, self._inbox, name)
        await self._published_catalogue.publish()

    def _committed(self, seen: Observation, events: list[Event]) -> None:
        """An observation is in the ledger: whoever waited for the end of a tenant may go on."""
        if events:
            log.info("recorded", tenant=seen.tenant, uid=seen.uid, events=[str(event.kind) for event in events])
            self._costs.changed(seen.uid)
        known = self._inbox.tenants.get(seen.uid)
        if known is None:
            return
        if not self._backlog.waits_for(seen.uid):
            self._safekeeping.committed(known)
        if seen.gone:
            self._inbox.tenants.forget(seen.uid)
        elif seen.deleted_at is not None:
            known.end_is_committed = True
            self._queues.tenants.add(seen.uid)

    async def _drain(self) -> None:
        """Give the ledger's writers a bounded time for what they have."""
        deadline = self._loop.time() + _DRAIN_SECONDS
        while len(self._backlog) and self._loop.time() < deadline:
            await asyncio.sleep(0.02)
        log.info("drained", left=len(self._backlog))


def _cause(failure: BaseException) -> BaseException:
    """What made a group of loops fail: the first of them to do so, the others were cancelled for it."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
