"""A real operator process dies by SIGKILL at each named point, is started again, and the ledger is as if it had not."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pieced_billing import faults
from pieced_billing.store.connections import connect
from tests.apiserver import api_server
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.lives import Lives
from tests.operators import Operator
from tests.stacks import Stack

PARTS = ("observe.", "confirm.", "position.", "replay.", "reconcile.", "package.", "catalogue.", "lease.")
POINTS = [point for point in faults.POINTS if point.startswith(PARTS)]
STAGES = 6


@dataclass(frozen=True)
class Scene:
    """A running operator, and tenants in every stage of a life that it knows all about."""

    stack: Stack
    lives: Lives

    def play(self, before: str) -> None:
        """What happens in the round of a point; some points need more than a change of every tenant."""
        special: dict[str, Callable[[], None]] = {
            "retention": self.lives.outstay,
            "fetch_again": self._restore_an_older_cluster,
            "package": self.lives.use_a_new_package,
            "catalogue": self.lives.use_a_new_package,
        }
        for part, happen in special.items():
            if part in before:
                happen()
        self.lives.round()

    def _restore_an_older_cluster(self) -> None:
        """As after a restore of etcd: the ledger has seen more generations of a tenant than the API server has."""
        with connect(self.stack.database.owner_url) as connection:
            connection.execute(
                "UPDATE tenant_billing_lifecycle SET generation = generation + 100 WHERE tenant_uid = %s",
                [self.lives.youngest.uid],
            )


@pytest.fixture(scope="module")
def scene(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Scene]:
    with database_servers.migrated("pg18") as database, api_server(cluster) as api:
        operator = Operator(cluster, database, worker_state, pod="faulted")
        stack = Stack(cluster, database_servers.get("pg18"), database, api, operator)
        operator.start()
        lives = Lives(stack)
        for _ in range(STAGES):
            lives.round()
            lives.await_recorded()
        yield Scene(stack, lives)
        operator.stop()


@pytest.mark.parametrize("point", POINTS)
def test_an_operator_that_dies_anywhere_loses_and_doubles_nothing(scene: Scene, tmp_path: Path, point: str) -> None:
    operator, log = scene.stack.operator, tmp_path / "died"
    scene.lives.await_suspended()
    if point.startswith("confirm."):
        scene.stack.await_position()  # else a start replays what just happened, and has nothing to confirm
    operator.kill()
    # What is replayed happened before the start. Every other point is met by changes that the watch delivers, the rest
    # by what is found at the start.
    before_the_start = point.startswith("replay.")
    if before_the_start:
        scene.play(point)
    operator.launch(PIECED_FAULT=point, PIECED_FAULT_LOG=str(log))
    # What is replayed says nothing of the cluster as it is: only what is delivered later makes it look again.
    if POINTS.index(point) % 2 == 0 or point.startswith("confirm."):
        operator.await_leading(or_end=True)
    if not before_the_start:
        scene.play(point)
    assert operator.await_end() == -signal.SIGKILL, operator.end_of_log()
    assert log.read_text() == f"{point}\n"

    operator.start()
    scene.lives.await_recorded()
    scene.lives.forget_the_past()
