"""All tenants listed and compared, at the start and every few minutes: what the watch missed is found here."""

import asyncio
import time
from contextlib import suppress
from typing import Final

import structlog

from pieced_billing.errors import Refused, Unavailable
from pieced_billing.ledger.live import LiveTenant
from pieced_operator import metrics, paths
from pieced_operator.api_errors import NotFound
from pieced_operator.cluster import Cluster
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import SWEEP, Inbox
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.tenants import Known

log = structlog.get_logger(__name__)

INTERVAL_SECONDS: Final = 300.0
SOON_SECONDS: Final = 10.0
_TOO_MANY: Final = 0.01
_NEVER_TOO_MANY: Final = 5


class Sweep:
    """Lists every tenant from etcd and hands the inbox what it does not know."""

    def __init__(self, cluster: Cluster, inbox: Inbox, ledger: LedgerReader, heart: Heartbeat) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._ledger = ledger
        self._heart = heart
        self._wanted = asyncio.Event()
        self._unexplained: set[tuple[str, str]] = set()

    async def first(self) -> str:
        """Take in every package, then every tenant that there is; returns the resource version of the tenants' list.

        Packages come first: a package is never unknown because it was not listed yet.
        """
        version = ""
        async for page in self._cluster.pages(paths.PACKAGES):
            for resource in page.items:
                self._inbox.package(resource)
        async for page in self._cluster.pages(paths.TENANTS):
            for resource in page.items:
                self._inbox.tenant(resource, page.asked_at)
            version = page.resource_version
        self._done()
        return version

    async def run(self) -> None:
        """Sweep soon, every few minutes, and soon again when asked to, until cancelled."""
        self.soon()
        while True:
            self._heart.beat("sweep", within_seconds=3 * INTERVAL_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), INTERVAL_SECONDS)
                await asyncio.sleep(SOON_SECONDS)
            self._wanted.clear()
            try:
                with metrics.SWEEP_SECONDS.time():
                    await self.once()
            except (Refused, Unavailable) as error:
                metrics.ERRORS.labels("sweep").inc()
                log.warning("sweep failed", error=str(error))

    def soon(self) -> None:
        """Ask for a sweep as soon as what is on its way has arrived."""
        self._wanted.set()

    async def once(self) -> None:
        """Compare what is listed with what is known.

        A version that is not known yet is left to the watch, which delivers those before it too. Only when a second
        sweep still finds it unknown has the watch lost it.
        """
        await self._packages()
        live = await self._live()  # before the list: a tenant made in between is not missing
        known_before = {known.version.uid for known in self._inbox.tenants if not known.version.gone}
        listed: set[str] = set()
        unexplained: set[tuple[str, str]] = set()
        async for page in self._cluster.pages(paths.TENANTS):
            for resource in page.items:
                uid, version = resource["metadata"]["uid"], resource["metadata"]["resourceVersion"]
                listed.add(uid)
                known = self._inbox.tenants.get(uid)
                if known is not None and known.version.resource_version == version:
                    self._inbox.confirm(known, page.asked_at)
                elif known is None or int(known.version.resource_version) < int(version):
                    unexplained.add((uid, version))
                    if (uid, version) in self._unexplained:
                        self._report("version never delivered", uid)
                        self._inbox.tenant(resource, page.asked_at)
        self._unexplained = unexplained
        for uid in known_before - listed:
            known = self._inbox.tenants.get(uid)
            if known is not None and not known.version.gone:
                await self._look_for(known)
        await self._settle([one for one in live if one.uid not in listed | known_before], len(live))
        self._done()

    async def _packages(self) -> None:
        """The catalogue as it is listed; what was known before and is not listed is gone."""
        known_before = self._inbox.catalogue.entries()
        listed: set[str] = set()
        async for page in self._cluster.pages(paths.PACKAGES):
            for resource in page.items:
                listed.add(resource["metadata"]["uid"])
                self._inbox.package(resource)
        for entry in known_before:
            if entry.uid not in listed:
                self._inbox.package({"metadata": {"name": entry.id, "uid": entry.uid}}, gone=True)

    async def _live(self) -> list[LiveTenant]:
        """What the ledger holds to be alive; nothing while its database is away: the rest of a sweep can do without."""
        try:
            return await self._ledger.live()
        except (Refused, Unavailable) as error:
            log.warning("sweep without the ledger", error=str(error))
            return []

    async def _look_for(self, known: Known) -> None:
        """A known tenant is not in the list: ask for it, and if it is gone say so."""
        asked_at = time.monotonic()
        if not await self._exists(known.version.name, known.version.uid) and not known.version.gone:
            self._report("deletion never delivered", known.version.uid)
            self._inbox.vanished(known, asked_at)

    async def _settle(self, missing: list[LiveTenant], live: int) -> None:
        """End in the ledger what vanished while nobody looked; where too much is gone something is wrong: nothing."""
        gone = [one for one in missing if not await self._exists(one.tenant, one.uid)]
        too_many = len(gone) > max(_NEVER_TOO_MANY, live * _TOO_MANY)
        metrics.SWEEP_HALTED.set(len(gone) if too_many else 0)
        if too_many:
            log.error("too many tenants are missing: none is ended", missing=len(gone), live=live)
            return
        for one in gone:
            self._report("gone while nobody looked", one.uid)
            await self._ledger.end(one.uid, self._cluster.clock.latest(time.monotonic()), SWEEP)

    async def _exists(self, name: str, uid: str) -> bool:
        try:
            found = await self._cluster.get(paths.tenant(name))
        except NotFound:
            return False
        return bool(found["metadata"]["uid"] == uid)

    def _report(self, what: str, uid: str) -> None:
        metrics.SWEEP_MISMATCHES.inc()
        log.warning("the watch missed something", what=what, uid=uid)

    def _done(self) -> None:
        metrics.LAST_SWEEP.set(self._cluster.clock.latest(time.monotonic()).timestamp())
