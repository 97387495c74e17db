"""What the ledger says now, asked for over and over: on one connection for as long as that lasts."""

from datetime import datetime
from typing import Any

from pieced_billing.errors import Unavailable
from pieced_billing.store.connections import Connection, connect, outages
from tests.faults.world import World


class Ledger:
    """The row of each tenant, as the database has it. It may be away: then nothing is known."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connection: Connection | None = None

    def state(self, uid: str) -> tuple[int, list[str]] | None:
        """The generation and the packages that are recorded of a tenant; None when nothing is, or nobody answers."""
        query = "SELECT generation, packages FROM tenant_billing_lifecycle WHERE tenant_uid = %s"
        try:
            rows = self._ask(query, [uid])
        except Unavailable:
            return None
        return next(((generation, packages) for generation, packages in rows), None)

    def position_saved_at(self) -> datetime | None:
        """When it was last written down how far the watch has come; None when it never was, or nobody answers."""
        try:
            rows = self._ask("SELECT max(saved_at) FROM watch_positions", [])
        except Unavailable:
            return None
        saved_at: datetime | None = rows[0][0]
        return saved_at

    def ends(self) -> dict[str, tuple[datetime | None, int]]:
        """When each tenant ended, None while it lives, and its generation. Raises Unavailable."""
        rows = self._ask("SELECT tenant_uid, deleted_at, generation FROM tenant_billing_lifecycle", [])
        return {uid: (deleted_at, generation) for uid, deleted_at, generation in rows}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ask(self, query: str, values: list[str]) -> list[tuple[Any, ...]]:
        with outages():
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._world.database.url)
                self._connection.autocommit = True
            return self._connection.execute(query.encode(), values).fetchall()
