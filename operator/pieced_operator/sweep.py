"""All tenants listed and compared, at the start and every few minutes: what the watch missed is found here."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from pieced_billing.errors import Refused, Unavailable
from pieced_billing.ledger.live import LiveTenant
from pieced_operator import metrics, paths
from pieced_operator.api_errors import KindNotServed, NotFound
from pieced_operator.cluster import Cluster, Page, Resource
from pieced_operator.halts import REASONS, ClusterReplaced, SweepHalted, kinds_missing
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.ledger_metrics import tell_of_the_ledger
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.missing import Missing
from pieced_operator.replay import FirstList, Listed
from pieced_operator.went_back import ClusterWentBack, ListLags, require_forward

log = structlog.get_logger(__name__)

INTERVAL_SECONDS: Final = 300.0
WITHOUT_LEDGER_SECONDS: Final = 20.0
SOON_SECONDS: Final = 3.0
REPLAY_SECONDS: Final = 2.0


class Sweep:
    """Lists every tenant from etcd, hands the inbox what it does not know, and ends what is no more."""

    def __init__(self, cluster: Cluster, cluster_id: str, inbox: Inbox, ledger: LedgerReader, heart: Heartbeat) -> None:
        self._cluster = cluster
        self._cluster_id = cluster_id
        self._inbox = inbox
        self._ledger = ledger
        self._missing = Missing(cluster, inbox, ledger)
        self._heart = heart
        self._wanted = asyncio.Event()
        self._next_in_seconds = INTERVAL_SECONDS
        self._unexplained: set[tuple[str, str]] = set()
        self._at_the_start: tuple[list[LiveTenant], set[str]] = [], set()

    async def first(self, since: int | None) -> FirstList:
        """Take in every package, then every tenant that there is, but for those changed after `since`.

        Packages come first: a package is never unknown because it was not listed yet.
        """
        version, unseen, listed = 0, dict[str, Listed](), set[str]()
        live = [] if since is None else await self._live()
        async for page in self._cluster.pages(paths.PACKAGES):
            for resource in page.items:
                self._inbox.package(resource)
        async for page in self._cluster.pages(paths.TENANTS):
            version = int(page.resource_version)
            for resource in page.items:
                listed.add(resource["metadata"]["uid"])
                if since is not None and since < int(resource["metadata"]["resourceVersion"]):
                    unseen[resource["metadata"]["uid"]] = (resource, page.asked_at)
                else:
                    self._inbox.tenant(resource, page.asked_at)
        if since is not None and version < since:
            log.error("the cluster's data went back", known=since, found=version)
            since = None
        self._at_the_start = live, listed
        self._done()
        return FirstList(version, since, unseen)

    async def run(self, children_read: asyncio.Event) -> None:
        """Sweep once all children are read, every few minutes, and soon when asked to, until cancelled.

        Before that it is settled who was gone at the start, as soon as a replay has had time to tell more of that.
        """
        await asyncio.sleep(REPLAY_SECONDS)
        await self._attempt(self._settle_start)
        await children_read.wait()
        self.soon()
        while True:
            self._heart.beat("sweep", within_seconds=3 * INTERVAL_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._next_in_seconds):
                    await self._wanted.wait()
                await asyncio.sleep(SOON_SECONDS)
            self._wanted.clear()
            with metrics.SWEEP_SECONDS.time():
                await self._attempt(self.once)

    async def _attempt(self, sweep: Callable[[], Awaitable[None]]) -> None:
        """Sweep, and go on when that fails; raises ClusterReplaced and ClusterWentBack."""
        try:
            await sweep()
        except SweepHalted as halt:
            metrics.SWEEP_HALTED.labels(halt.reason).set(1)
            log.error("sweep halted", reason=halt.reason, error=str(halt))
            if isinstance(halt, ClusterReplaced):
                raise
        except ClusterWentBack:
            raise
        except (Refused, Unavailable) as error:
            metrics.ERRORS.labels("sweep").inc()
            log.warning("sweep failed", error=str(error))
            self.soon()  # who does not answer now may come back with older data than before

    async def _settle_start(self) -> None:
        (live, listed), self._at_the_start = self._at_the_start, ([], set())
        still = {one.uid for one in await self._live()}
        await self._missing.settle([one for one in live if one.uid in still], set(), listed)

    def soon(self) -> None:
        """Ask for a sweep as soon as what is on its way has arrived."""
        self._wanted.set()

    async def once(self) -> None:
        """Compare what is listed with what is known, in memory and in the ledger.

        A version that is not known yet is left to the watch, which delivers those before it too. Only when a second
        sweep still finds it unknown has the watch lost it. Raises SweepHalted where nothing may be concluded, and
        ClusterWentBack.
        """
        await self._require_same_cluster()
        await self._packages()
        live = await self._live()  # before the list: a tenant made in between is not missing
        known_before = {known.version.uid: int(known.version.resource_version) for known in self._inbox.tenants}
        listed = await self._compare(known_before)
        await self._missing.settle(live, known_before.keys(), listed)
        await tell_of_the_ledger(self._ledger)
        self._done()

    async def _compare(self, known_before: Mapping[str, int]) -> set[str]:
        """Hand on what is listed; returns the uids. `known_before`: the resource versions known before the list."""
        listed: set[str] = set()
        unexplained: set[tuple[str, str]] = set()
        async for page in self._pages(paths.TENANTS):
            await self._require_current(int(page.resource_version), known_before)
            for resource in page.items:
                uid, version = resource["metadata"]["uid"], resource["metadata"]["resourceVersion"]
                listed.add(uid)
                require_forward(known_before.get(uid, 0), int(version))
                known = self._inbox.tenants.get(uid)
                if known is not None and known.version.resource_version == version:
                    self._inbox.confirm(known, page.asked_at)
                elif known is None or int(known.version.resource_version) < int(version):
                    unexplained.add((uid, version))
                    if (uid, version) in self._unexplained:
                        metrics.SWEEP_MISMATCHES.inc()
                        log.warning("the watch missed a version", uid=uid)
                        self._inbox.tenant(resource, page.asked_at)
        self._unexplained = unexplained
        return listed

    async def _require_current(self, version: int, known_before: Mapping[str, int]) -> None:
        """Raise ListLags for a list that is too old; ClusterWentBack where a get, which no cache answers, is so too."""
        highest = max(known_before.values(), default=0)
        if version >= highest:
            return
        latest = self._inbox.tenants.get(max(known_before, key=lambda uid: known_before[uid]))
        if latest is not None:
            with suppress(NotFound):
                found = (await self._cluster.get(paths.tenant(latest.version.name)))["metadata"]
                require_forward(highest, int(found["resourceVersion"]))
        self.soon()
        raise ListLags(highest, version)

    async def _require_same_cluster(self) -> None:
        system = await self._cluster.get(f"{paths.NAMESPACES}/kube-system")
        if system["metadata"]["uid"] != self._cluster_id:
            raise ClusterReplaced(self._cluster_id, system["metadata"]["uid"])

    async def _packages(self) -> None:
        """The catalogue as it is listed; what was known before and is not listed is gone."""
        known_before = self._inbox.catalogue.entries()
        listed: set[str] = set()
        async for page in self._pages(paths.PACKAGES):
            for resource in page.items:
                listed.add(resource["metadata"]["uid"])
                self._inbox.package(resource)
        for entry in known_before:
            if entry.uid not in listed:
                self._inbox.package({"metadata": {"name": entry.id, "uid": entry.uid}}, gone=True)

    async def _pages(self, path: str) -> AsyncIterator[Page[Resource]]:
        """A list of our own; SweepHalted where the kind itself is not served."""
        try:
            async for page in self._cluster.pages(path):
                yield page
        except KindNotServed:
            raise kinds_missing() from None

    async def _live(self) -> list[LiveTenant]:
        """What the ledger holds to be alive; nothing while its database is away.

        The rest of a sweep can do without. Who ended while nobody looked is found by the next, which comes sooner.
        """
        try:
            live = await self._heart.while_waiting("sweep", asyncio.ensure_future(self._ledger.live()))
        except (Refused, Unavailable) as error:
            log.warning("sweep without the ledger", error=str(error))
            self._next_in_seconds = WITHOUT_LEDGER_SECONDS
            return []
        self._next_in_seconds = INTERVAL_SECONDS
        return live

    def _done(self) -> None:
        for reason in REASONS:
            metrics.SWEEP_HALTED.labels(reason).set(0)
        metrics.LAST_SWEEP.set(self._cluster.clock.latest(time.monotonic()).timestamp())
