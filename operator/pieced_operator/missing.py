"""Tenants that should be there and are not: who they are, and what is concluded from it."""

import time
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from enum import Enum, auto
from typing import Final

import structlog

from pieced_billing import faults
from pieced_billing.ledger.live import LiveTenant
from pieced_operator import metrics, paths
from pieced_operator.api_errors import NotFound
from pieced_operator.cluster import Cluster
from pieced_operator.decode import first_uid_of
from pieced_operator.halts import believable, too_many_missing
from pieced_operator.inbox import SWEEP, Inbox
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.names import LEDGER_ID_ANNOTATION

log = structlog.get_logger(__name__)

_NAMED: Final = 10


class Fate(Enum):
    """What became of a tenant that a list does not have."""

    ALIVE = auto()
    VANISHED = auto()
    RESTORED = auto()
    """A backup of it was restored and says so itself: it is this tenant under another uid."""


class Missing:
    """Ends what vanished and no watch told, if it is few enough to be believed."""

    def __init__(self, cluster: Cluster, inbox: Inbox, ledger: LedgerReader) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._ledger = ledger

    async def settle(self, live: Collection[LiveTenant], known: AbstractSet[str], listed: AbstractSet[str]) -> None:
        """End the tenants that the ledger or the inbox (`known`) had before the list, and the list has not.

        Each is asked for by itself first. Raises SweepHalted when too many are gone; then none is ended.
        """
        names = {one.uid: one.tenant for one in live}
        names |= {one.version.uid: one.version.name for one in self._inbox.tenants if one.version.uid in known}
        missing = [uid for uid in sorted(names.keys() - listed) if not self._has_ended(uid, known)]
        fates = {uid: await self._fate(names[uid], uid) for uid in missing}
        vanished = [uid for uid in missing if fates[uid] is Fate.VANISHED]
        too_many = len(vanished) > believable(len(names))
        metrics.SWEEP_MISSING.set(len(vanished) if too_many else 0)
        if too_many:
            log.error("missing", tenants=[f"{names[uid]} {uid}" for uid in vanished[:_NAMED]])
            raise too_many_missing(len(vanished), len(names))
        for uid in missing:
            if fates[uid] is not Fate.ALIVE:
                await self._end(uid)

    def _has_ended(self, uid: str, known: AbstractSet[str]) -> bool:
        """Whether the end has been delivered meanwhile, and is recorded or on its way to the ledger."""
        now = self._inbox.tenants.get(uid)
        return now.version.gone if now is not None else uid in known

    async def _fate(self, name: str, uid: str) -> Fate:
        faults.point("sweep.before_look")
        try:
            metadata = (await self._cluster.get(paths.tenant(name)))["metadata"]
        except NotFound:
            return Fate.VANISHED
        if metadata["uid"] == uid:
            return Fate.ALIVE
        first_uid = first_uid_of((metadata.get("annotations") or {}).get(LEDGER_ID_ANNOTATION), name)
        return Fate.RESTORED if first_uid == uid else Fate.VANISHED

    async def _end(self, uid: str) -> None:
        metrics.SWEEP_MISMATCHES.inc()
        known = self._inbox.tenants.get(uid)
        log.warning("gone, and no watch said so", uid=uid, known=known is not None)
        if known is not None:
            if not known.version.gone:
                self._inbox.vanished(known, time.monotonic())
            return
        faults.point("sweep.before_end")
        await self._ledger.end(uid, self._cluster.clock.latest(time.monotonic()), SWEEP)
        faults.point("sweep.after_end")
