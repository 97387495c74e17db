"""Everything that a fault can hit: a control plane, a Postgres, an operator (or two), and the proxies between them."""

import json
import os
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pieced_local import cluster as local_cluster
from pieced_local import controlplane
from pieced_local.postgres import installation, server
from pieced_local.postgres.server import APPLICATION, OWNER
from tests.apiserver import ApiServer, api_server
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database
from tests.faults.api_proxy import ApiProxy, api_proxy
from tests.faults.database_proxy import DatabaseProxy, database_proxy
from tests.faults.loop_thread import LoopThread, loop_thread

NAME = "faults"
SURVIVES_A_KILL = {"fsync": "off", "full_page_writes": "off"}
"""What was committed outlives the death of any process, not that of the machine."""


class Postgres:
    """A server that can be killed and started again, with its data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.server = self._start()

    def crash(self) -> None:
        """SIGKILL the postmaster and its children, whatever they are at."""
        pid = int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            with suppress(ProcessLookupError):  # a child that ended just now
                os.kill(one, signal.SIGKILL)

    def kill(self) -> None:
        """Let it crash, and wait until it is gone."""
        self.crash()
        self.stop()

    def start(self) -> None:
        self.server = self._start()

    def stop(self) -> None:
        self._stack.close()

    def _start(self) -> server.Server:
        return self._stack.enter_context(server.running(installation.embedded(), self._folder, SURVIVES_A_KILL))


class ControlPlane:
    """The API server and what it stands on, taken apart."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        assert cluster.folder is not None
        self._data = cluster.folder / "etcd"
        self._saved = cluster.folder / "etcd-saved"

    def stop(self, how: str, *names: str) -> None:
        """`stop` or `kill` components."""
        for name in names:
            self.cluster.component(how, name)

    def start(self, *names: str) -> None:
        """Start components and wait until they are ready."""
        for name in names:
            self.cluster.component("start", name)

    def compact(self) -> None:
        """Let etcd forget everything but the present."""
        etcd = f"http://127.0.0.1:{self._etcd_port()}/v3/kv"
        with urllib.request.urlopen(f"{etcd}/range", data=b'{"key":"AA=="}', timeout=10) as answer:
            revision = json.load(answer)["header"]["revision"]
        request = json.dumps({"revision": revision}).encode()
        urllib.request.urlopen(f"{etcd}/compaction", data=request, timeout=10).close()

    def save(self) -> None:
        """Keep a copy of etcd's data; nothing may write to it meanwhile."""
        shutil.rmtree(self._saved, ignore_errors=True)
        shutil.copytree(self._data, self._saved)

    def restore(self) -> None:
        """Put the copy in the place of etcd's data."""
        shutil.rmtree(self._data)
        shutil.copytree(self._saved, self._data)

    def _etcd_port(self) -> int:
        command = [str(controlplane.binary()), "status", "-o", "json", "--dir", str(self.cluster.folder)]
        status = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        health = next(one["health"] for one in status if one["component"] == "etcd")
        return urllib.parse.urlsplit(health).port or 0


@dataclass
class World:
    """One of everything. The operator reaches the others through the proxies only."""

    folder: Path
    loop: LoopThread
    control: ControlPlane
    postgres: Postgres
    api_proxy: ApiProxy
    database_proxy: DatabaseProxy
    api: ApiServer

    @property
    def cluster(self) -> Cluster:
        """The cluster as the operator reaches it."""
        return replace(self.control.cluster, operator_kubeconfig=self.folder / "proxied.kubeconfig")

    @property
    def database(self) -> Database:
        """The database, for others than the operator."""
        return _database(self.postgres.server)

    @property
    def proxied(self) -> Database:
        """The database as the operator reaches it."""
        return _database(replace(self.postgres.server, port=self.database_proxy.port))

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, in one piece."""
        assert self.control.cluster.audit_log is not None
        return self.control.cluster.audit_log

    def export(self) -> list[str]:
        """The ledger as it is now."""
        return run_pieced("ledger", "export", env=self.database.env()).stdout.splitlines()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A world with an empty ledger and no operator yet, until the block ends."""
    with ExitStack() as stack:
        audit_log = folder / "audit.log"
        cluster = stack.enter_context(local_cluster.running(folder / "cluster", audit_log=audit_log))
        cluster.apply_kinds_and_rights()
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.stop)
        postgres.server.create_database(NAME)
        run_pieced("db", "upgrade", env=_database(postgres.server).env())
        loop = stack.enter_context(loop_thread())
        through = folder / "proxied.kubeconfig"
        to_api = stack.enter_context(api_proxy(loop, cluster.operator_kubeconfig, through))
        to_database = stack.enter_context(database_proxy(loop, postgres.server.port))
        api = stack.enter_context(api_server(cluster))
        yield World(folder, loop, ControlPlane(cluster), postgres, to_api, to_database, api)


def _database(running: server.Server) -> Database:
    return Database(NAME, running.url(APPLICATION, NAME), running.url(OWNER, NAME))
