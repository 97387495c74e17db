"""`status.cost`: what each tenant costs this month, beside all other work and at a tenth of a processor at most."""

import asyncio
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import orjson
import structlog

from pieced_billing import faults
from pieced_billing.errors import Refused, Unavailable
from pieced_billing.invoicing.cost import TenantCost, tenant_costs
from pieced_billing.money import amount_text
from pieced_billing.store.connections import Connection, open_store, outages
from pieced_operator import metrics, paths
from pieced_operator.api_errors import Conflict, NotFound
from pieced_operator.cluster import Cluster
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.tenants import Known

log = structlog.get_logger(__name__)

_ROUND_SECONDS: Final = 240.0
"""How often every tenant is looked at: prices, usage and the day change without a word to us."""

_AT_ONCE: Final = 10
"""A batch's costs are written at once, and what is observed meanwhile waits for the API server behind them."""

_PAUSE_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 5.0
_IDLE_SHARE: Final = 9
"""So many times as long as a batch took nothing is done after it: other threads have the processor."""


class CostKeeper:
    """Writes the cost of tenants into their status where it has changed: first of those that have, then of all in turn.

    Nothing waits for it. While the database is away costs stay as they are.
    """

    def __init__(self, cluster: Cluster, inbox: Inbox, url: str, heart: Heartbeat) -> None:
        self._cluster = cluster
        self._inbox = inbox
        self._url = url
        self._heart = heart
        self._changed: dict[str, None] = {}
        self._turn: deque[str] = deque()
        self._next_round_at = 0.0
        self._in_work = 0
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cost")

    def changed(self, uid: str) -> None:
        """The ledger has something new about a tenant."""
        self._changed[uid] = None
        self._count(self._in_work)

    async def run(self) -> None:
        """Keep costs up to date until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._heart.beat("cost")
                began_at = loop.time()
                batch = self._next_batch(began_at)
                self._count(len(batch))
                least_pause = _PAUSE_SECONDS if await self._refresh(batch) else _RETRY_SECONDS
                self._count(0)
                await asyncio.sleep(max(least_pause, _IDLE_SHARE * (loop.time() - began_at)))
        finally:
            self._thread.submit(self._close)
            self._thread.shutdown(wait=False)

    def _count(self, in_work: int) -> None:
        self._in_work = in_work
        metrics.COSTS_WAITING.set(len(self._changed) + len(self._turn) + in_work)

    def _next_batch(self, now: float) -> list[str]:
        """The next tenants: those that have changed, and else those whose turn it is."""
        if not self._turn and now >= self._next_round_at:
            self._next_round_at = now + _ROUND_SECONDS
            self._turn.extend(known.version.uid for known in self._inbox.tenants if _is_billed(known))
        batch = list(self._changed)[:_AT_ONCE]
        for uid in batch:
            del self._changed[uid]
        while self._turn and len(batch) < _AT_ONCE:
            batch.append(self._turn.popleft())
        return batch

    async def _refresh(self, uids: list[str]) -> bool:
        """Look at these tenants; returns whether that went well. What did not comes again."""
        if not uids:
            return True
        loop = asyncio.get_running_loop()
        try:
            costs = loop.run_in_executor(self._thread, self._costs, uids)
            for cost in await self._heart.while_waiting("cost", costs):
                await self._write(cost)
        except (Refused, Unavailable) as error:
            metrics.ERRORS.labels("cost").inc()
            log.info("costs not refreshed", error=str(error))
            self._changed.update(dict.fromkeys(uids))
            return False
        except Exception:
            log.exception("costs not refreshed", tenants=len(uids))
            metrics.ERRORS.labels("defect").inc()
        return True

    async def _write(self, cost: TenantCost) -> None:
        known = self._inbox.tenants.get(cost.uid)
        if known is None or not _is_billed(known):
            return
        status = status_of(cost)
        if (orjson.loads(known.body).get("status") or {}).get("cost") == status:
            return
        # Only upon the version that is known: no version that the watch still has to deliver is passed over.
        body = {"metadata": {"resourceVersion": known.version.resource_version}, "status": {"cost": status}}
        faults.point("cost.before_write")
        try:
            written = await self._cluster.merge(f"{paths.tenant(known.version.name)}/status", body)
            faults.point("cost.after_write")
            self._inbox.tenant(written, said=True)
        except Conflict:
            self.changed(cost.uid)
        except NotFound:
            log.debug("gone before its cost was written", tenant=known.version.name)

    def _costs(self, uids: Iterable[str]) -> list[TenantCost]:
        """In the thread: one draft for each organisation of these tenants."""
        try:
            with outages():
                if self._connection is None or self._connection.closed:
                    self._connection = open_store(self._url)
                return list(tenant_costs(self._connection, uids))
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        """In the thread: give the connection back."""
        if self._connection is not None:
            self._connection.close()


def status_of(cost: TenantCost) -> dict[str, str]:
    """What `status.cost` says: nothing that changes while the cost does not."""
    return {
        "period": str(cost.month),
        "currency": "CHF",
        "monthToDate": amount_text(cost.to_date),
        "forecast": amount_text(cost.forecast),
    }


def _is_billed(known: Known) -> bool:
    return known.accepted and not known.version.gone
