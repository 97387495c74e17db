"""The database of a command: the one that DATABASE_URL names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pieced_billing.store.connections import Connection, session, urls


@contextmanager
def database() -> Iterator[Connection]:
    """A connection as the application's role; commits when the command is done, rolls back when it fails."""
    with session(urls(os.environ).application) as connection:
        yield connection
