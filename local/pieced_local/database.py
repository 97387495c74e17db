"""The database that the stack works on: an embedded server of our own, or whichever DATABASE_URL names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pieced_local.postgres import installation, server

NAME = "pieced"


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Give the variables that tell `pieced` its database, which answers until the block ends.

    Raises server.StartFailed and account.CannotRun when our own does not start.
    """
    if os.environ.get("DATABASE_URL"):
        yield {name: os.environ[name] for name in ("DATABASE_URL", "PIECED_OWNER_URL") if os.environ.get(name)}
        return
    with server.running(installation.embedded(), folder, server.DURABLE) as started:
        if not started.has_database(NAME):
            started.create_database(NAME)
        yield {
            "DATABASE_URL": started.url(server.APPLICATION, NAME),
            "PIECED_OWNER_URL": started.url(server.OWNER, NAME),
        }
