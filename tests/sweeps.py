"""A sweep on a real cluster, with an inbox that no watch feeds; the fixture `swept` goes with it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import generate_latest

from pieced_billing.ledger.observation import Observation
from pieced_operator.backlog import Backlog
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as Api
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.missing import Missing
from pieced_operator.sweep import Sweep
from pieced_operator.workqueue import Queues
from tests import event_loops
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database
from tests.logins import login_of

TENANT = """
apiVersion: pieced.ch/v1alpha1
kind: PiecedTenant
metadata:
  name: swept
  labels: {pieced.ch/org-id: "310001"}
  finalizers: [pieced.ch/billing]
spec: {displayName: Swept, packages: [broom]}
"""
PACKAGE = """
apiVersion: pieced.ch/v1alpha1
kind: PiecedPackage
metadata: {name: broom}
spec: {displayName: Broom, image: "example/broom:1"}
"""


def id_of(cluster: Cluster) -> str:
    return cluster.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")


@dataclass
class Watchless:
    """An inbox that nothing feeds but sweeps."""

    sweep: Sweep
    missing: Missing
    inbox: Inbox
    backlog: Backlog

    async def told(self) -> list[Observation]:
        """What the ledger was told of our tenant since the last time."""
        taken = await self.backlog.take(10_000) if len(self.backlog) else []
        for queue in taken:
            self.backlog.committed(queue[0].seen.uid)
        return [pending.seen for queue in taken for pending in queue if pending.seen.tenant == "swept"]


def sweeping(
    cluster: Cluster, database: Database, story: Callable[[Watchless], Awaitable[None]], cluster_id: str | None = None
) -> None:
    info = login_of(cluster.kubeconfig)

    async def run() -> None:
        async with Api(lambda: info, ApiClock()) as api:
            known_as = cluster_id or id_of(cluster)
            backlog = Backlog()
            inbox = Inbox(known_as, "pieced.ch/org-id", api.clock, backlog, Queues())
            ledger = LedgerReader(database.url, known_as)
            sweep = Sweep(api, known_as, inbox, ledger, Heartbeat())
            await story(Watchless(sweep, Missing(api, inbox, ledger), inbox, backlog))

    event_loops.run(asyncio.wait_for(run(), 180))


def children_read() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def remove(cluster: Cluster) -> None:
    """The tenant goes as if somebody had stripped its finalizer."""
    if cluster.kubectl("get", "pt", "swept", "--ignore-not-found"):
        cluster.kubectl("patch", "pt", "swept", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        cluster.kubectl("delete", "pt", "swept")


def remembered(cluster: Cluster, database: Database, count: int) -> list[str]:
    """Tenants that a ledger holds to be alive, in the cluster that the sweep looks at."""
    uids = [f"u-{number}" for number in range(count)]
    lines = [
        {
            "kind": "created",
            "uid": uid,
            "tenant": f"lost-{uid}",
            "org": "1",
            "at": "2026-03-01T09:00:00Z",
            "cluster": id_of(cluster),
        }
        for uid in uids
    ]
    run_pieced("ledger", "import", "-", env=database.env(), stdin="\n".join(map(json.dumps, lines)))
    return uids


def halted(reason: str) -> bool:
    """Whether the metrics say that the latest sweep halted, and why."""
    return f'pieced_sweep_halted{{reason="{reason}"}} 1.0' in generate_latest().decode()
