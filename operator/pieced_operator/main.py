"""The operator process: what runs beside what, how it begins and how it ends.

    Lease held → everything listed once → kopf and the child watches, reconcile workers, ledger writers, sweeps

SIGTERM: nothing new is taken in, what waits for the ledger is written for a bounded time, the Lease is given back. A
loop that dies takes the process with it: Kubernetes starts it again, and it begins from what it finds.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator import collector, metrics
from pieced_operator.api_errors import NotFound
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster
from pieced_operator.halts import KINDS_MISSING
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.leading import Leading
from pieced_operator.lease import Lease
from pieced_operator.login import Login
from pieced_operator.names import GROUP, PACKAGE_PLURAL, TENANT_PLURAL, VERSION
from pieced_operator.paths import NAMESPACES
from pieced_operator.patience import until_answered
from pieced_operator.probes import Probes
from pieced_operator.settings import Settings

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


async def run_operator(settings: Settings, login: Login, host: str, port: int, *, migrate: bool) -> None:
    """Run until SIGTERM or SIGINT.

    Raises UsageError for a port that is taken, Refused for a database that cannot be used, Unavailable when the Lease
    is lost.
    """
    collector.collect_rarely()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    heart, pages, api = Heartbeat(), Probes(), Cluster(login, ApiClock())
    async with pages.serve(host, port, heart), api as cluster:
        lease = Lease(cluster, settings.identity)
        try:
            cluster_id = await _unless(stop, _until_in_charge(cluster, lease, pages))
            if cluster_id is not None:
                leading = Leading(settings, cluster, cluster_id, login, heart, migrate=migrate)
                pages.refresh_metrics = leading.refresh_metrics
                await leading.run(lease, stop)
        finally:
            await lease.release()
    log.info("stopped")


async def _until_in_charge(cluster: Cluster, lease: Lease, pages: Probes) -> str:
    """Wait for the API server, our kinds and the Lease; returns the cluster's id: the uid of its kube-system."""
    await until_answered("custom resource definitions", lambda: _require_kinds(cluster))
    pages.ready = True
    system = await until_answered("namespace kube-system", lambda: cluster.get(f"{NAMESPACES}/kube-system"))
    await lease.acquire()
    cluster_id: str = system["metadata"]["uid"]
    return cluster_id


async def _require_kinds(cluster: Cluster) -> None:
    try:
        served = await cluster.get(f"/apis/{GROUP}/{VERSION}")
    except NotFound:
        served = {"resources": []}
    missing = {TENANT_PLURAL, PACKAGE_PLURAL} - {resource["name"] for resource in served["resources"]}
    metrics.SWEEP_HALTED.labels(KINDS_MISSING).set(bool(missing))
    if missing:
        raise Unavailable(f"The API server does not serve {' and '.join(sorted(missing))} yet.")


async def _unless(stop: asyncio.Event, wanted: Coroutine[Any, Any, Result]) -> Result | None:
    """The result, or None when the stop comes first."""
    waiting = asyncio.create_task(wanted)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    return None
