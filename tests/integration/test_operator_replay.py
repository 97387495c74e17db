"""What happened before the start, from a watch that forgets in the middle of telling it."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

from pieced_operator.bridge import Bridge
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as Api
from pieced_operator.replay import FirstList, Replay
from tests import event_loops
from tests.clusters import Cluster
from tests.faults.api_proxy import ApiProxy
from tests.faults.loop_thread import LoopThread
from tests.logins import login_of

TENANT = {
    "apiVersion": "pieced.ch/v1alpha1",
    "kind": "PiecedTenant",
    "metadata": {"name": "retold"},
    "spec": {"displayName": "Retold"},
}
SECONDS = 60


class Told:
    """What a bridge delivers: how, of whom, and which version."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def news(self, resource: dict[str, Any], gone: bool, asked_at: float | None) -> None:
        self._note("gone" if gone else "news", resource)

    def replayed(self, resource: dict[str, Any], gone: bool) -> None:
        self._note("replayed", resource)

    def listed(self, resource: dict[str, Any], asked_at: float) -> None:
        self._note("listed", resource)

    def _note(self, how: str, resource: dict[str, Any]) -> None:
        self.told.append((how, resource["metadata"]["uid"], int(resource["metadata"]["resourceVersion"])))


def changed(cluster: Cluster, **spec: Any) -> dict[str, Any]:
    """The tenant after a change."""
    patch = json.dumps({"spec": spec})
    found: dict[str, Any] = json.loads(
        cluster.kubectl("patch", "pt", "retold", "--type=merge", "-p", patch, "-o", "json")
    )
    return found


def test_the_rest_is_taken_as_listed_and_what_follows_is_news(
    cluster: Cluster, loop: LoopThread, proxied: tuple[ApiProxy, Path]
) -> None:
    proxy, kubeconfig = proxied
    made = json.loads(cluster.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(TENANT)))
    uid, since = made["metadata"]["uid"], int(made["metadata"]["resourceVersion"])
    listed = changed(cluster, suspend=True)
    version = int(listed["metadata"]["resourceVersion"])
    never_told = {"metadata": {"uid": "never told", "resourceVersion": str(version)}}
    first = FirstList(version, since, {uid: (listed, 0.0), "never told": (never_told, 0.0)})

    async def story(told: Told) -> int:
        async with Api(lambda: login_of(kubeconfig), ApiClock()) as api, asyncio.timeout(SECONDS):
            caught_up = asyncio.Event()
            replay = Replay(first, told.replayed, told.listed)
            bridge = Bridge(api, told.news, replay, lambda version: None, caught_up)
            running = asyncio.create_task(bridge.run(first))
            while not caught_up.is_set():
                await asyncio.to_thread(loop.run, proxy.expire_watches())
                await asyncio.sleep(0.05)
            resumed = int((await asyncio.to_thread(changed, cluster, suspend=False))["metadata"]["resourceVersion"])
            while ("news", uid, resumed) not in told.told:
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for thread in threading.enumerate():
                if thread.name == "kopf":  # it closes its connections, which else outlive this test
                    await asyncio.to_thread(thread.join, SECONDS)
            return resumed

    told = Told()
    try:
        resumed = event_loops.run(story(told))
    finally:
        cluster.kubectl("delete", "pt", "retold")
    assert sorted(told.told, key=lambda one: (one[1] == uid, one[2])) in (
        [("listed", "never told", version), (how, uid, version), ("news", uid, resumed)]
        for how in ("replayed", "listed")
    )
