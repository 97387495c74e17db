"""Start, use and stop one PostgreSQL server with its data in a folder of ours, on the loopback interface."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from pieced_local.children import dying_with_parent, stop
from pieced_local.errors import LocalError
from pieced_local.ports import free_port
from pieced_local.postgres import account, data
from pieced_local.postgres.installation import Installation

SUPERUSER = "postgres"
OWNER = "pieced_owner"
APPLICATION = "pieced_app"

START_SECONDS = 60
DURABLE = {"fsync": "on"}
FAST_AND_LOSSY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests: a crash of the machine may lose the data, and nobody would miss them."""


class StartFailed(LocalError):
    """The server did not start; the sentence names its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; valid inside the `running` block that gave it."""

    port: int
    passwords: dict[str, str]

    def url(self, role: str, database: str) -> str:
        """The connection URL of `role` for `database`. It holds the password."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database owned by the owner role, that the application's role may use."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            database, source = sql.Identifier(name), sql.Identifier(template or "template1")
            owner, application = sql.Identifier(OWNER), sql.Identifier(APPLICATION)
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(database, owner, source)
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, application))

    def has_database(self, name: str) -> bool:
        """Whether there is a database of that name."""
        with psycopg.connect(self.url(SUPERUSER, "postgres")) as connection:
            return connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    def drop_database(self, name: str) -> None:
        """Remove a database, ending whatever is still connected to it."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running(
    installation: Installation, folder: Path, settings: dict[str, str], port: int | None = None
) -> Iterator[Server]:
    """Run a server with its data below `folder`, made there the first time, until the block ends.

    `port` is one that is known to be free; None for any.
    The caller sees to it that one process at a time uses `folder`. Raises StartFailed, account.CannotRun.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data_folder = folder / "data"
    runs_as = account.choose(installation.programs / "postgres", data_folder)
    passwords = data.passwords(folder / "passwords.json", (SUPERUSER, OWNER, APPLICATION))
    if not data_folder.exists():
        data.initialise(installation, data_folder, runs_as, SUPERUSER, passwords[SUPERUSER])
    data.clear_away_predecessor(data_folder)
    child, server = _start(installation, folder, runs_as, settings, passwords, port)
    try:
        _ensure_roles(server)
        yield server
    finally:
        stop(child, signal.SIGINT)  # SIGTERM would wait for every client to leave


def _start(
    installation: Installation,
    folder: Path,
    runs_as: account.Account,
    settings: dict[str, str],
    passwords: dict[str, str],
    port: int | None,
) -> tuple[subprocess.Popen[bytes], Server]:
    """Start the server on its port, or on a free one; tried again when somebody took that in between."""
    for _ in range(5):
        server = Server(port or free_port(), passwords)
        child = _launch(installation, folder, runs_as, settings, server.port)
        try:
            if _becomes_ready(child, server):
                return child, server
        except BaseException:
            stop(child, signal.SIGINT)
            raise
        if b"Address already in use" not in (folder / "server.log").read_bytes():
            break
    log = folder / "server.log"
    raise StartFailed(f"PostgreSQL did not start; {log} ends with: {' '.join(log.read_text().splitlines()[-3:])}")


def _launch(
    installation: Installation, folder: Path, runs_as: account.Account, settings: dict[str, str], port: int
) -> subprocess.Popen[bytes]:
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_connections": "200",
        "jit": "off",  # its library is not unpacked, and our statements are too short to gain by it
        **settings,
    }
    given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = installation.command("postgres", "-D", str(folder / "data"), *given)
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(
            [*runs_as.prefix, *dying_with_parent(command, "INT")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=installation.environment(),
            cwd="/",
            process_group=0,  # Ctrl-C is for us; we stop the server when nobody needs it any more
            **runs_as.popen,
        )


def _becomes_ready(child: subprocess.Popen[bytes], server: Server) -> bool:
    """Wait until the server answers; False when it ended instead."""
    deadline = time.monotonic() + START_SECONDS
    while child.poll() is None:
        try:
            psycopg.connect(server.url(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                stop(child, signal.SIGINT)
            time.sleep(0.02)
        else:
            return True
    return False


def _ensure_roles(server: Server) -> None:
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, APPLICATION):
            if role not in there:
                login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(login.format(sql.Identifier(role), sql.Literal(server.passwords[role])))
