"""While the ledger's database is away, what it was not told is kept with the tenants themselves, in their status.

So a restart of the operator loses nothing that was seen. When the database is back and has it all, the status is
cleared.
"""

import asyncio
from typing import Any, Final

import orjson
import structlog

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.backlog import Backlog
from pieced_operator.cluster import Cluster
from pieced_operator.inbox import Inbox
from pieced_operator.outage import Outage
from pieced_operator.tenants import Known
from pieced_operator.unrecorded import entries
from pieced_operator.workers import work_forever
from pieced_operator.workqueue import WorkQueue

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 0.5
_OUTAGE_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 30.0
_WORKERS: Final = 4
_ALMOST_NOTHING: Final = 100


class Safekeeping:
    """Writes `status.unrecorded` once an outage has lasted for some seconds, and clears it afterwards."""

    def __init__(self, cluster: Cluster, inbox: Inbox, backlog: Backlog, outage: Outage) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._backlog = backlog
        self._outage = outage
        self._queue: WorkQueue[str] = WorkQueue()
        self._away = False

    async def run(self) -> None:
        """Keep what has to be kept, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_out())
            for _ in range(_WORKERS):
                group.create_task(work_forever(self._queue, self._settle))

    def committed(self, known: Known) -> None:
        """What was seen of a tenant is in the ledger: what its status keeps has had its day."""
        if known.version.keeps_unrecorded:
            self._queue.add(known.version.uid)

    async def _look_out(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            changed = self._backlog.changed_since_last_asked()
            away = self._outage.lasts(_OUTAGE_SECONDS)
            if away:
                for uid in changed if self._away else self._backlog.uids():
                    self._queue.add(uid)
            self._away = away

    async def _settle(self, uid: str) -> float | None:
        """Make the status of a tenant keep what waits, or nothing when nothing does; returns when to look again.

        After an outage that comes when the ledger has almost all. Raises Unavailable, and Conflict when the tenant has
        changed meanwhile.
        """
        while len(self._backlog) > _ALMOST_NOTHING and not self._outage.lasts(_OUTAGE_SECONDS):
            await asyncio.sleep(_LOOK_SECONDS)
        known = self._inbox.tenants.get(uid)
        if known is None or known.version.gone or not known.version.accepted:
            return None
        wanted = entries([pending.seen for pending in self._backlog.pending(uid)])
        if not self._outage.lasts(_OUTAGE_SECONDS) and wanted:
            return _AGAIN_SECONDS  # the database is back: they are about to be written where they belong
        status = orjson.loads(known.body).get("status") or {}
        if wanted != status.get("unrecorded", []):
            await self._write(known, wanted)
        return _AGAIN_SECONDS if wanted else None

    async def _write(self, known: Known, wanted: list[dict[str, Any]]) -> None:
        patch: dict[str, Any] = {
            "metadata": {"resourceVersion": known.version.resource_version},
            "status": {"unrecorded": wanted or None},
        }
        faults.point("unrecorded.before_write")
        written = await self._cluster.merge(f"{paths.tenant(known.version.name)}/status", patch)
        faults.point("unrecorded.after_write")
        self._inbox.tenant(written, said=True)
        log.debug("kept in the status", tenant=known.version.name, versions=len(wanted))
