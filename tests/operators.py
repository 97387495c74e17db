"""The operator as it runs: a process of its own against a real API server and a real database."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from pieced_local.postgres.server import SUPERUSER, Server
from tests.clusters import Cluster
from tests.commands import PIECED, clean_environment
from tests.databases import Database
from tests.forked import Forked

START_SECONDS = 60


class Operator:
    """Starts, stops and kills `pieced operator run`. The same `pod` takes its Lease back at once."""

    def __init__(self, cluster: Cluster, database: Database, folder: Path, pod: str = "operator-0") -> None:
        self._environment = clean_environment() | database.env()
        self._environment |= {
            "KUBECONFIG": str(cluster.operator_kubeconfig),
            "POD_NAME": pod,
            "PYTHONFAULTHANDLER": "1",
        }
        self.log = folder / f"{pod}.log"
        self._log_begins = 0
        self._address: str | None = None
        self._process: Forked | None = None

    def launch(self, **environment: str) -> None:
        """Start the process and do not wait for anything."""
        assert self._process is None
        self._address = None
        command = [str(PIECED), "operator", "run", "--listen", "127.0.0.1:0"]
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            out, self._log_begins = log.fileno(), log.tell()
            self._process = Forked(command, self._environment | environment, nothing.fileno(), out, out)

    def start(self, **environment: str) -> None:
        """Start it and wait until it leads and has listed everything."""
        self.launch(**environment)
        self.await_leading()

    def await_leading(self, *, or_end: bool = False) -> None:
        """Wait until it holds the Lease and its first sweep is done; with `or_end` its end will do as well."""
        deadline = time.monotonic() + START_SECONDS
        while self.metric("pieced_last_sweep_timestamp_seconds") == 0:
            assert self._process is not None
            if self._process.poll() is not None:
                assert or_end, f"the operator ended: {self.end_of_log()}"
                return
            assert time.monotonic() < deadline, f"the operator does not begin: {self.end_of_log()}"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it by SIGTERM, as Kubernetes would; fails when it does not end well."""
        if self._process is not None:
            assert self._end(signal.SIGTERM) == 0, self.end_of_log()

    def ask_to_end(self) -> None:
        """Send SIGTERM and do not wait for anything."""
        self._signal(signal.SIGTERM)

    def pause(self) -> None:
        """Let it do nothing for a while, as on a machine that is frozen, and not know of it."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it by SIGKILL, as a power cut would, if it was started and has not been seen to end."""
        if self._process is not None:
            self._end(signal.SIGKILL)

    def has_ended(self) -> bool:
        """Whether it was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def await_end(self) -> int:
        """Wait until it ends by itself; returns the exit status, negative for a signal."""
        assert self._process is not None
        status = self._process.wait(timeout=START_SECONDS)
        self._process = None
        return status

    def metric(self, name: str) -> float:
        """The value of a metric, its label sets added up; 0 while it does not answer."""
        lines = self.page("metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def page(self, path: str) -> tuple[int, str]:
        """HTTP status and text of one of its pages; status 0 while it does not answer."""
        self._address = self._address or self._said_address()
        if self._address is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://{self._address}/{path}", timeout=START_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def end_of_log(self, lines: int = 15) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text().splitlines()[-lines:])

    def _said_address(self) -> str | None:
        """Where its pages are, as its log says since it was launched: a free port, which nobody can take before it."""
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            lines = log.read().split(b"\n")[:-1]
        said = (line for line in lines if b"serving probes and metrics" in line)
        return next((json.loads(line)["address"] for line in said), None)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> int:
        self._signal(number)
        assert self._process is not None
        process, self._process = self._process, None
        try:
            return process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # it says where each of its threads is
            process.wait(timeout=START_SECONDS)
            raise AssertionError(f"the operator does not end: {self.end_of_log(100)}") from None


@contextmanager
def operator(cluster: Cluster, database: Database, folder: Path, pod: str = "operator-0") -> Iterator[Operator]:
    """A process that is running until the block ends."""
    made = Operator(cluster, database, folder, pod)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def outage(server: Server, database: Database) -> Iterator[None]:
    """The database takes no connections and ends those that it has, until the block ends."""
    name = sql.Identifier(database.name)
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name])
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
