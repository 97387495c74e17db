"""A real operator process dies by SIGKILL at each named point, is started again, and the ledger is as if it had not."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from pieced_billing.store.connections import connect
from tests.apiserver import api_server
from tests.books import set_prices
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.fault_points import points_of
from tests.lives import Lives
from tests.operators import Operator, outage
from tests.stacks import Stack

AT_THE_START = {"api.before_read": 10, "database.before_connect": 5}
"""What an operator passes many times when it starts, and how many of these passages are tried.

The tenth request is one of the lists of children, which are read side by side; the fifth connection writes the ledger.
"""
AT_ITS_END = ("lease.before_release", "lease.after_release")
POINTS = [point for point in points_of(__file__) if point not in AT_THE_START]
STAGES = 6


@dataclass(frozen=True)
class Scene:
    """A running operator, and tenants in every stage of a life that it knows all about."""

    stack: Stack
    lives: Lives

    def prepare(self, point: str) -> None:
        """What has to be so before the operator goes."""
        self.lives.await_suspended()
        if point.startswith("together."):
            self.stack.await_position()  # else a start replays what just happened, and has nothing to confirm
        if point.startswith("sweep."):
            self.lives.begin_apart()
            self.lives.await_recorded()

    def play(self, point: str) -> None:
        """What happens in the round of a point; some points need more than a change of every tenant."""
        special: dict[str, Callable[[], None]] = {
            "retention": self.lives.outstay,
            "fetch_again": self._restore_an_older_cluster,
            "package": self.lives.use_a_new_package,
            "catalogue": self.lives.use_a_new_package,
            "sweep": lambda: self.lives.vanish(self.lives.youngest),
        }
        for part, happen in special.items():
            if part in point:
                happen()
        self.lives.round()
        if point in AT_ITS_END:
            self.stack.operator.ask_to_end()

    def weather(self, point: str) -> AbstractContextManager[None]:
        """What does not answer meanwhile."""
        without_database = point.startswith("unrecorded.")
        return outage(self.stack.server, self.stack.database) if without_database else nullcontext()

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
        with connect(database.url) as connection:
            set_prices(connection)
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
    scene.prepare(point)
    operator.kill()
    # What is replayed, and what only a sweep finds, happened before the start. Every other point is met by changes that
    # the watch delivers, the rest by what is found at the start.
    before_the_start = point.startswith(("replay.", "sweep."))
    if before_the_start:
        scene.play(point)
    operator.launch(PIECED_FAULT=point, PIECED_FAULT_LOG=str(log))
    # What is replayed says nothing of the cluster as it is: only what is delivered later makes it look again.
    at_work_first = point.startswith(("together.", "unrecorded.")) or point in AT_ITS_END
    if POINTS.index(point) % 2 == 0 or at_work_first:
        operator.await_leading(or_end=True)
    with scene.weather(point):
        if not before_the_start:
            scene.play(point)
        assert operator.await_end() == -signal.SIGKILL, operator.end_of_log()
    assert log.read_text() == f"{point}\n"

    operator.start()
    scene.lives.await_recorded()
    scene.lives.forget_the_past()


@pytest.mark.parametrize("point", AT_THE_START)
def test_an_operator_that_dies_at_one_request_of_its_start_after_the_other_loses_and_doubles_nothing(
    scene: Scene, tmp_path: Path, point: str
) -> None:
    operator = scene.stack.operator
    scene.prepare(point)
    operator.kill()
    scene.play(point)
    for passage in range(1, AT_THE_START[point] + 1):
        log = tmp_path / str(passage)
        operator.launch(PIECED_FAULT=f"{point}:{passage}", PIECED_FAULT_LOG=str(log))
        assert operator.await_end() == -signal.SIGKILL, operator.end_of_log()
        assert log.read_text() == f"{point}\n"

    operator.start()
    scene.lives.await_recorded()
    scene.lives.forget_the_past()
