"""Awaiting that sessions of a database hold locks, or wait for them."""

import threading

from pieced_billing.store.connections import connect
from tests.databases import Database


def await_waiting(database: Database) -> None:
    """Wait until somebody waits for another's lock."""
    _await(database, "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")


def await_blocked(database: Database) -> None:
    """Wait until somebody waits for a table."""
    _await(database, "EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted)")


def await_no_locks(database: Database) -> None:
    """Wait until nobody holds one: the server has noticed that a process is gone."""
    _await(database, "NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')")


def _await(database: Database, condition: str) -> None:
    with connect(database.owner_url) as owner:
        owner.autocommit = True
        for _ in range(6000):
            if owner.execute(f"SELECT {condition}").fetchone() == (True,):
                return
            threading.Event().wait(0.01)
    raise AssertionError(f"never so: {condition}")
