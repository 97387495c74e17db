"""What the ledger holds to be alive, for the sweep; and the end of what is not."""

import asyncio
from datetime import datetime

from pieced_billing.invoicing.outcomes import count_parked
from pieced_billing.ledger import discontinuities
from pieced_billing.ledger.checks import Check, latest_check
from pieced_billing.ledger.events import Event
from pieced_billing.ledger.live import LiveTenant, live_tenants
from pieced_billing.ledger.observe import observe_missing
from pieced_billing.store.connections import open_store, outages
from pieced_operator.ledger_session import open_session


class LedgerReader:
    """The ledger of one cluster; each call is a connection of its own, in a thread. Raises Unavailable."""

    def __init__(self, url: str, cluster_id: str) -> None:
        self._url = url
        self._cluster_id = cluster_id

    async def live(self) -> list[LiveTenant]:
        """Every tenant that has no end yet."""
        return await asyncio.to_thread(self._live)

    async def end(self, uid: str, seen_at: datetime, source: str) -> list[Event]:
        """Record that a tenant exists no more; nothing if its end is known."""
        return await asyncio.to_thread(self._end, uid, seen_at, source)

    async def seams(self) -> dict[str, int]:
        """How many seams the histories of the tenants have, by reason."""
        return await asyncio.to_thread(self._seams)

    async def latest_check(self) -> Check | None:
        """What the latest check of the ledger found, if there was one."""
        return await asyncio.to_thread(self._latest_check)

    async def parked_invoices(self) -> int:
        """How many invoices wait for somebody, of whatever cluster's tenants."""
        return await asyncio.to_thread(self._parked_invoices)

    def _live(self) -> list[LiveTenant]:
        with outages(), open_store(self._url) as connection:
            return live_tenants(connection, self._cluster_id)

    def _seams(self) -> dict[str, int]:
        with outages(), open_store(self._url) as connection:
            return discontinuities.count(connection, self._cluster_id)

    def _latest_check(self) -> Check | None:
        with outages(), open_store(self._url) as connection:
            return latest_check(connection, self._cluster_id)

    def _parked_invoices(self) -> int:
        with outages(), open_store(self._url) as connection:
            return count_parked(connection)

    def _end(self, uid: str, seen_at: datetime, source: str) -> list[Event]:
        with outages(), open_session(self._url) as connection:
            return observe_missing(connection, uid, seen_at, source)
