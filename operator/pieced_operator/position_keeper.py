"""The position of the watch, read from the ledger's database at the start and kept there while we work."""

import asyncio
from contextlib import suppress
from typing import Final

from pieced_billing import faults
from pieced_billing.errors import Refused, Unavailable
from pieced_billing.ledger.positions import position, save_position
from pieced_billing.store.connections import Connection, connect, outages
from pieced_operator.position import Position

_EVERY_SECONDS: Final = 1.0


class PositionKeeper:
    """Saves the position of one cluster every second in which it changes; one connection, in a thread."""

    def __init__(self, url: str, cluster_id: str, position: Position) -> None:
        self._url = url
        self._cluster_id = cluster_id
        self._position = position
        self._connection: Connection | None = None
        self._saved: int | None = None

    async def read(self) -> int | None:
        """The position that was kept last; None if there is none. Raises Unavailable."""
        faults.point("position.before_read")
        self._saved = await asyncio.to_thread(self._read)
        return self._saved

    async def run(self) -> None:
        """Save every second, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.save()

    async def save(self) -> None:
        """Save the position if it has changed; in an outage, of which others speak, more will be replayed."""
        now = self._position.safe()
        if now is not None and now != self._saved:
            with suppress(Refused, Unavailable):
                await asyncio.to_thread(self._save, now)
                self._saved = now

    def _read(self) -> int | None:
        with outages():
            return position(self._connected(), self._cluster_id)

    def _save(self, now: int) -> None:
        faults.point("position.before_save")
        with outages():
            save_position(self._connected(), self._cluster_id, now)
        faults.point("position.after_save")

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url)
            self._connection.autocommit = True
        return self._connection
