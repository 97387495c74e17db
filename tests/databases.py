"""Databases for tests: a server for each worker, a template that `pieced db upgrade` made, a clone for each test."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pieced_local.postgres import debian, installation, server
from tests.commands import run_pieced

SERVERS = ("pg18", "pg15")
TEMPLATE = "migrated"


@dataclass(frozen=True)
class Database:
    """A database of one test. The URLs are those of DATABASE_URL and PIECED_OWNER_URL."""

    name: str
    url: str
    owner_url: str

    def env(self) -> dict[str, str]:
        """What a `pieced` process needs to use it."""
        return {"DATABASE_URL": self.url, "PIECED_OWNER_URL": self.owner_url}


class DatabaseServers:
    """The servers of this worker, each started when the first test asks for it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._running: dict[str, server.Server] = {}
        self._numbers = itertools.count(1)

    def get(self, name: str) -> server.Server:
        """The server `pg18` (embedded) or `pg15` (Debian's), running."""
        if name not in self._running:
            programs = installation.embedded() if name == "pg18" else debian.unpacked()
            assert programs is not None, "checked when the tests were collected"
            running = server.running(programs, self._folder / name, server.FAST_AND_LOSSY)
            self._running[name] = self._stack.enter_context(running)
        return self._running[name]

    @contextmanager
    def empty(self, on: str) -> Iterator[Database]:
        """A database without any tables, dropped afterwards."""
        yield from self._temporary(on, None)

    @contextmanager
    def migrated(self, on: str) -> Iterator[Database]:
        """A database as `pieced db upgrade` leaves it, dropped afterwards."""
        running = self.get(on)
        if not running.has_database(TEMPLATE):
            running.create_database(TEMPLATE)
            run_pieced("db", "upgrade", env=_database(running, TEMPLATE).env())
        yield from self._temporary(on, TEMPLATE)

    @contextmanager
    def copied(self, on: str, source: Database) -> Iterator[Database]:
        """A copy of a database that nobody is connected to, as a backup of it is; dropped afterwards."""
        yield from self._temporary(on, source.name)

    def _temporary(self, on: str, template: str | None) -> Iterator[Database]:
        running = self.get(on)
        name = f"test_{next(self._numbers)}"
        running.create_database(name, template)
        try:
            yield _database(running, name)
        finally:
            running.drop_database(name)


def _database(running: server.Server, name: str) -> Database:
    return Database(name, running.url(server.APPLICATION, name), running.url(server.OWNER, name))
