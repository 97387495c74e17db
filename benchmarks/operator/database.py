"""The Postgres of a measurement: it writes to disk before it answers, knows when it committed, and can be away."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pieced_local.ports import free_port
from pieced_local.postgres import installation, server
from tests.commands import run_pieced

NAME = "bench"
SETTINGS = server.DURABLE | {"track_commit_timestamp": "on", "max_wal_size": "4GB"}


class Database:
    """A server with one database, always at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._running = ExitStack()
        self._server: server.Server

    def environment(self) -> dict[str, str]:
        """What tells a program this database."""
        return {"DATABASE_URL": self.url, "PIECED_OWNER_URL": self._server.url(server.OWNER, NAME)}

    @property
    def url(self) -> str:
        """The application's URL."""
        return self._server.url(server.APPLICATION, NAME)

    def start(self) -> None:
        """Start the server; returns when it answers."""
        running = server.running(installation.embedded(), self._folder, SETTINGS, self._port)
        self._server = self._running.enter_context(running)

    def stop(self) -> None:
        """End the server: nobody listens at its address until it is started again."""
        self._running.close()

    def make_tables(self) -> None:
        """Bring the ledger's tables up to date; the first time they are made."""
        if not self._server.has_database(NAME):
            self._server.create_database(NAME)
        run_pieced("db", "upgrade", env=self.environment())


@contextmanager
def running(folder: Path) -> Iterator[Database]:
    """A database with its data below `folder`, made there the first time, until the block ends."""
    database = Database(folder)
    try:
        database.start()
        database.make_tables()
        yield database
    finally:
        database.stop()
