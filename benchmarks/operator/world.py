"""What one program is measured on: a cluster, a database, and the processes of the program that work on them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.operator import database
from benchmarks.operator.database import Database
from benchmarks.operator.process import Process
from benchmarks.operator.programs import Program
from benchmarks.operator.progress import say
from pieced_local import cluster as local_cluster
from pieced_local import places
from pieced_local.children import dying_with_parent, stop
from pieced_local.cluster import Cluster
from pieced_local.ports import free_port
from tests.audit import writes_of_the_operator
from tests.folders import worker_folder

KEPT = places.PROJECT / ".cache" / "bench-operator"
POPULATED = "populated"


class World:
    """A cluster and a ledger for one program and one number of tenants."""

    def __init__(self, program: Program, folder: Path, cluster: Cluster, ledger: Database) -> None:
        self.program = program
        self.cluster = cluster
        self.database = ledger
        self.log = folder / "operator.log"
        self._populated = folder / POPULATED
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def is_populated(self) -> bool:
        """Whether the tenants were made and taken on in an earlier run."""
        return self._populated.exists()

    def mark_populated(self) -> None:
        """The tenants are there, as wanted and recorded."""
        self._populated.touch()

    def start(self) -> Process:
        """Start the operator; what it does first is part of what is measured."""
        port = free_port()
        environment = places.environment() | {
            "KUBECONFIG": str(self.cluster.operator_kubeconfig),
            "POD_NAME": "bench",
            **self.database.environment(),
        }
        with self.log.open("ab") as log:
            popen = subprocess.Popen(
                dying_with_parent(self.program.command(port)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                process_group=0,  # Ctrl-C is for us; it is stopped before what it works with
            )
        self._started.append(popen)
        return Process(popen, port)

    def end(self) -> None:
        """End every operator that still runs, as after Ctrl-C."""
        for popen in self._started:
            stop(popen)

    def audit_size(self) -> int:
        """How long the audit log is now."""
        assert self.cluster.audit_log is not None
        return self.cluster.audit_log.stat().st_size

    def writes_since(self, start: int) -> int:
        """How many writes the operator made to the cluster since the audit log was that long."""
        assert self.cluster.audit_log is not None
        return len(writes_of_the_operator(self.cluster.audit_log, start))


@contextmanager
def running(program: Program, tenants: int, *, keep: bool) -> Iterator[World]:
    """A world until the block ends: a new one, or with `keep` the one that an earlier run with it left."""
    with ExitStack() as stack:
        folder = _kept(program, tenants) if keep else stack.enter_context(worker_folder())
        ledger = stack.enter_context(database.running(folder / "postgres"))
        cluster = stack.enter_context(local_cluster.running(folder / "cluster", audit_log=folder / "audit.log"))
        cluster.apply_kinds_and_rights()
        world = World(program, folder, cluster, ledger)
        try:
            yield world
        except Exception:
            say("\n".join(world.log.read_text().splitlines()[-20:]) if world.log.exists() else "no log")
            raise
        finally:
            world.end()


def _kept(program: Program, tenants: int) -> Path:
    """The folder of a world that is kept; one whose cold start was broken off begins anew."""
    folder = KEPT / f"{program.name}-{tenants}"
    if not (folder / POPULATED).exists():
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
