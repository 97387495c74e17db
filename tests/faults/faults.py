"""What can break. Each function breaks something, lets the workload go on for a moment, and mends it."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from tests.faults.scene import Scene, now
from tests.operators import Operator

Fault: TypeAlias = Callable[[Scene], None]
CLIENTS: Final = ("kube-controller-manager", "kube-scheduler", "kubelet")
API_SERVER: Final = "kube-apiserver"


def operator_killed(scene: Scene) -> None:
    """SIGKILL at any moment, and tenants change while nobody is there."""
    scene.replica.kill()
    _a_moment(scene)


def watch_cut(scene: Scene) -> None:
    """Every connection to the API server is reset: watches go on from where they were."""
    for _ in range(scene.random.randint(1, 5)):
        scene.world.loop.run(scene.world.api_proxy.cut())
        time.sleep(0.2)


def api_server_unreachable(scene: Scene) -> None:
    """The operator cannot reach the API server for a moment, everybody else can."""
    proxy = scene.world.api_proxy
    scene.world.loop.run(proxy.refuse(True))
    _a_moment(scene)
    scene.world.loop.run(proxy.refuse(False))


def history_gone(scene: Scene) -> None:
    """410 Gone on every watch of tenants, as after a compaction: they have to list again."""
    with scene.blind("410 Gone"):
        scene.world.loop.run(scene.world.api_proxy.expire_watches())
        scene.await_canary()


def lists_stale(scene: Scene) -> None:
    """410 Gone, and the list after it says what was a moment ago, as of an API server that lags behind."""
    proxy = scene.world.api_proxy
    scene.replica.may_begin_anew = True
    with scene.blind("410 Gone and a stale list"):
        scene.world.loop.run(proxy.lag(True))
        _a_moment(scene)
        scene.world.loop.run(proxy.expire_watches())
        _a_moment(scene)
        scene.world.loop.run(proxy.lag(False))
        scene.await_canary()


def two_operators(scene: Scene) -> None:
    """Both hold the Lease, as one that was paused does; then one of them dies."""
    scene.revive()
    twin = Operator(scene.world.cluster, scene.world.proxied, scene.world.folder, pod="faulted")
    twin.start()
    scene.twin = twin
    try:
        _a_moment(scene)
        scene.await_canary()
        if scene.random.random() < 0.5:
            scene.replica.kill()
            scene.await_canary()
        scene.revive()
    finally:
        twin.kill()
        scene.twin = None


def database_connections_cut(scene: Scene) -> None:
    """Every connection to Postgres is reset."""
    for _ in range(scene.random.randint(1, 5)):
        scene.world.loop.run(scene.world.database_proxy.cut())
        time.sleep(0.2)


def commits_unanswered(scene: Scene) -> None:
    """COMMIT reaches Postgres, its answer is lost."""
    scene.world.loop.run(scene.world.database_proxy.cut_after_commits(scene.random.randint(1, 5)))
    _a_moment(scene)


def database_unreachable(scene: Scene) -> None:
    """The operator cannot reach Postgres for a moment."""
    with scene.database_away():
        scene.world.loop.run(scene.world.database_proxy.refuse(True))
        _a_moment(scene)
        scene.world.loop.run(scene.world.database_proxy.refuse(False))


def database_killed(scene: Scene) -> None:
    """SIGKILL for Postgres: it recovers from its log."""
    with scene.database_away():
        scene.world.postgres.kill()
        _a_moment(scene)
        scene.world.postgres.start()
        scene.world.database_proxy.upstream_port = scene.world.postgres.server.port


def database_killed_in_commit(scene: Scene) -> None:
    """SIGKILL for Postgres while it commits: nobody knows whether it did."""
    proxy, postgres = scene.world.database_proxy, scene.world.postgres
    with scene.database_away():
        proxy.at_commit_after = scene.random.uniform(0, 0.005)  # before, while and after it writes what is committed
        proxy.at_commit = postgres.crash
        scene.await_commit()
        postgres.stop()
        postgres.start()
        proxy.upstream_port = postgres.server.port


def operator_killed_without_database(scene: Scene) -> None:
    """What waits for Postgres is in memory, or after some seconds in the status of the tenants."""
    with scene.database_away():
        scene.world.loop.run(scene.world.database_proxy.refuse(True))
        time.sleep(scene.random.choice([1, 1, 10]))
        scene.replica.kill()
        if scene.random.random() < 0.5:
            scene.revive()
        scene.world.loop.run(scene.world.database_proxy.refuse(False))


def api_server_restarted(scene: Scene) -> None:
    """Stopped or killed, and started again: its watch cache is empty."""
    how = scene.random.choice(["stop", "kill"])
    with scene.forgetful("API server"):
        scene.world.control.stop(how, API_SERVER)
        scene.world.control.start(API_SERVER)
        scene.await_canary()


def etcd_restarted(scene: Scene) -> None:
    """Stopped or killed under a running API server."""
    how = scene.random.choice(["stop", "kill"])
    with scene.forgetful("etcd"):
        scene.world.control.stop(how, "etcd")
        scene.world.control.start("etcd")
        scene.await_canary()


def history_compacted(scene: Scene) -> None:
    """While the operator cannot reach it the API server restarts, and etcd forgets what was: a true 410 Gone."""
    proxy = scene.world.api_proxy
    with scene.forgetful("history compacted"):
        scene.world.loop.run(proxy.refuse(True))
        _a_moment(scene)
        scene.world.control.compact()
        scene.world.control.stop("stop", API_SERVER)
        scene.world.control.start(API_SERVER)
        scene.world.loop.run(proxy.refuse(False))
        scene.await_canary()


def data_restored(scene: Scene) -> None:
    """The data of a moment ago comes back to etcd; the control plane is restarted, the operator is not told.

    Only a few tenants are changed in between: where many are gone at once, the operator waits for a person's word.
    """
    control = scene.world.control
    scene.replica.may_begin_anew = True
    scene.workload.pause()
    with scene.forgetful("etcd restored"):
        control.stop("stop", API_SERVER, "etcd")
        saved_at = now()
        control.save()
        control.start("etcd", API_SERVER)
        scene.stir(scene.random.randint(1, 40))
        if scene.random.random() < 0.8:
            scene.await_canary()
        control.stop("stop", API_SERVER, "etcd")
        control.restore()
        scene.restored(saved_at)
        control.start("etcd", API_SERVER)
        control.stop("kill", *CLIENTS)
        control.start(*CLIENTS)
        scene.await_canary()
    scene.workload.resume()


def clock_set(scene: Scene) -> None:
    """The answers of the API server are dated an hour too late or too early, and rightly again."""
    scene.world.api_proxy.clock_ahead = timedelta(hours=scene.random.choice([-1, 1]))
    _a_moment(scene)
    scene.await_canary()
    scene.world.api_proxy.clock_ahead = timedelta()


def database_away_for_long(scene: Scene) -> None:
    """The operator cannot reach Postgres for a minute or two."""
    with scene.database_away():
        scene.world.loop.run(scene.world.database_proxy.refuse(True))
        until = time.monotonic() + scene.random.uniform(60, 120)
        while time.monotonic() < until:
            scene.revive()
            time.sleep(1)
        scene.world.loop.run(scene.world.database_proxy.refuse(False))


def _a_moment(scene: Scene) -> None:
    """Give the workload time to do something meanwhile."""
    time.sleep(scene.random.uniform(0.3, 2))


FAULTS: Final[dict[Fault, int]] = {
    operator_killed: 4,
    watch_cut: 4,
    api_server_unreachable: 2,
    history_gone: 2,
    lists_stale: 2,
    two_operators: 2,
    database_connections_cut: 3,
    commits_unanswered: 4,
    database_unreachable: 2,
    database_killed: 2,
    database_killed_in_commit: 2,
    operator_killed_without_database: 2,
    api_server_restarted: 2,
    etcd_restarted: 2,
    history_compacted: 1,
    data_restored: 1,
    clock_set: 1,
}
"""How often each happens, in comparison."""

SLOW: Final[dict[Fault, int]] = {database_away_for_long: 1}
"""Those that take long."""
