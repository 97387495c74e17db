"""`make bench-operator`: the operator against a real API server and Postgres, with 1,000 and 5,000 tenants.

All but 200 tenants are suspended, so that the machine measures the operator and not pods. Everything runs on the one
machine: API server, etcd, controllers, Postgres, the operator and this program that makes the load.
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import kopf
import psycopg

from benchmarks.machine import machine
from benchmarks.report import put_into, table
from pieced_local import cluster as local_cluster
from pieced_local.children import dying_with_parent, stop
from pieced_local.cluster import Cluster as LocalCluster
from pieced_local.ports import free_port
from pieced_local.postgres import installation, server
from pieced_operator import paths
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster
from tests.audit import writes_of_the_operator
from tests.folders import worker_folder

RUNNING = 200
PACKAGES = ("search", "telegram")
CHANGES_PER_SECOND = 20
CHANGES_TO_RUNNING = 2
CHANGE_SECONDS = 60
IN_FLIGHT = 24
COMMIT_TIMES = {"track_commit_timestamp": "on", "max_wal_size": "4GB"}
PAGE = Path("docs/performance.md")
MARK = "bench-operator"


@dataclass
class Measured:
    """One column of the table; durations in seconds, memory in MB."""

    tenants: int
    cold_start: float = 0
    memory_after_cold_start: float = 0
    restart: float = 0
    restart_writes: int = 0
    memory_after_restart: float = 0
    lags: list[float] = field(default_factory=list)
    changes: int = 0
    cpu_per_change_ms: float = 0
    requests_per_change: float = 0
    memory_after_changes: float = 0


@dataclass
class Process:
    """A running operator, seen from outside."""

    popen: subprocess.Popen[bytes]
    port: int

    def metrics(self) -> dict[str, float]:
        """Its metrics, `name` and `name{labels}`, the former the sum of the latter; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        found: dict[str, float] = {}
        for line in lines:
            if not line.startswith("#"):
                key, _, value = line.rpartition(" ")
                name = key.partition("{")[0]
                found[key] = float(value)
                if name != key:
                    found[name] = found.get(name, 0) + float(value)
        return found

    def is_done(self, tenants: int) -> bool:
        """Whether every tenant is as wanted and nothing is left to do."""
        found = self.metrics()
        idle = ("pieced_reconcile_queue_depth", "pieced_ledger_queue_depth", "pieced_children_unread")
        settled = sum(found.get(f'pieced_tenants{{phase="{phase}"}}', 0) for phase in ("Ready", "Suspended"))
        return settled == tenants and all(found.get(name) == 0 for name in idle)

    def memory_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time used since its start."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it by SIGTERM and wait."""
        self.popen.send_signal(signal.SIGTERM)
        assert self.popen.wait(60) == 0, "the operator did not end well"


class World:
    """A cluster, a database, and operators that work on them."""

    def __init__(self, cluster: LocalCluster, database: server.Server, name: str, log: Path) -> None:
        self.cluster = cluster
        self.url = database.url(server.APPLICATION, name)
        self.owner_url = database.url(server.OWNER, name)
        self.log = log
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> Process:
        """Start an operator; what it does first is part of what is measured."""
        port = free_port()
        command = [str(Path(sys.executable).with_name("pieced")), "operator", "run", "--listen", f"127.0.0.1:{port}"]
        environment = os.environ | {
            "KUBECONFIG": str(self.cluster.operator_kubeconfig),
            "DATABASE_URL": self.url,
            "PIECED_OWNER_URL": self.owner_url,
            "POD_NAME": "bench",
        }
        with self.log.open("ab") as log:
            popen = subprocess.Popen(
                dying_with_parent(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us; it is stopped before what it works with
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

    def writes_since(self, start: int) -> list[str]:
        """What the operator wrote to the cluster since the audit log was that long."""
        assert self.cluster.audit_log is not None
        return writes_of_the_operator(self.cluster.audit_log, start)

    def created(self) -> int:
        """How many tenants the ledger knows."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT count(*) FROM tenant_billing_lifecycle").fetchone()
        assert row is not None
        return int(row[0])


def main() -> None:
    """Measure the sizes asked for and write the table into docs/performance.md."""
    parser = argparse.ArgumentParser(description="Measure the operator; the table goes into docs/performance.md.")
    parser.add_argument("tenants", type=int, nargs="*", default=[1_000, 5_000], help="sizes to measure")
    sizes = parser.parse_args().tenants
    if min(sizes) <= RUNNING:
        parser.error(f"a size must be more than the {RUNNING} tenants that are not suspended")
    try:
        measured = [measure(size) for size in sizes]
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    rendered = render(measured)
    print(rendered)
    put_into(PAGE, MARK, f"{rendered}\n\n{machine()}")


def measure(tenants: int) -> Measured:
    """Everything about one size, on a cluster and a database of its own."""
    with ExitStack() as stack:
        folder = stack.enter_context(worker_folder())
        postgres = server.running(installation.embedded(), folder / "postgres", server.DURABLE | COMMIT_TIMES)
        database = stack.enter_context(postgres)
        database.create_database("bench")
        cluster = stack.enter_context(local_cluster.running(folder / "cluster", audit_log=folder / "audit.log"))
        cluster.apply_kinds_and_rights()
        world = World(cluster, database, "bench", folder / "operator.log")
        try:
            return asyncio.run(_measure(world, tenants))
        except Exception:
            say("\n".join(world.log.read_text().splitlines()[-20:]) if world.log.exists() else "no log")
            raise
        finally:
            world.end()


async def _measure(world: World, tenants: int) -> Measured:
    measured = Measured(tenants)
    async with Cluster(partial(_log_in, world.cluster.kubeconfig), ApiClock()) as api:
        names = [f"tenant-{number:05}" for number in range(tenants)]
        say(f"{tenants} tenants: creating")
        await all_of(api.create(paths.PACKAGES, _package(name)) for name in PACKAGES)
        await all_of(api.create(paths.TENANTS, _tenant(name, number >= RUNNING)) for number, name in enumerate(names))

        say(f"{tenants} tenants: cold start")
        process, measured.cold_start = await _start(world, tenants)
        measured.memory_after_cold_start = process.memory_mb()
        assert world.created() == tenants
        process.stop()

        say(f"{tenants} tenants: restart")
        audit_start = world.audit_size()
        process, measured.restart = await _start(world, tenants)
        measured.memory_after_restart = process.memory_mb()
        measured.restart_writes = len(world.writes_since(audit_start))

        say(f"{tenants} tenants: {CHANGES_PER_SECOND} changes a second")
        cpu, before = process.cpu_seconds(), process.metrics()
        answered_at = await _change(api, names)
        await _until_done(process, tenants)
        after = process.metrics()
        measured.changes = len(answered_at)
        measured.cpu_per_change_ms = (process.cpu_seconds() - cpu) * 1000 / measured.changes
        requests = "pieced_api_requests_total"
        measured.requests_per_change = (after[requests] - before[requests]) / measured.changes
        measured.memory_after_changes = process.memory_mb()
        measured.lags = _lags(world, answered_at)
        process.stop()
    return measured


def _log_in(kubeconfig: Path) -> kopf.ConnectionInfo:
    os.environ["KUBECONFIG"] = str(kubeconfig)
    info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings())
    assert info is not None
    return info


async def _start(world: World, tenants: int) -> tuple[Process, float]:
    """Start an operator and wait until it is done; returns how long that took from the start of the process."""
    began_at = time.monotonic()
    process = world.start()
    await _until_done(process, tenants)
    return process, time.monotonic() - began_at


async def _until_done(process: Process, tenants: int) -> None:
    while not process.is_done(tenants):
        assert process.popen.poll() is None, "the operator ended"
        await asyncio.sleep(0.1)


async def _change(api: Cluster, names: list[str]) -> dict[tuple[str, int], float]:
    """Switch a package of random tenants on or off; when each change was answered, by uid and generation."""
    choice = random.Random(20260301)
    enabled = set(names)
    answered_at: dict[tuple[str, int], float] = {}

    async def switch(name: str) -> None:
        packages = ["search"] if name in enabled else ["search", "telegram"]
        enabled.symmetric_difference_update({name})
        changed = await api.merge(paths.tenant(name), {"spec": {"packages": packages}})
        answered_at[changed["metadata"]["uid"], changed["metadata"]["generation"]] = time.time()

    began_at = time.monotonic()
    async with asyncio.TaskGroup() as changes:
        for tick in range(CHANGE_SECONDS * CHANGES_PER_SECOND):
            await asyncio.sleep(max(0.0, began_at + tick / CHANGES_PER_SECOND - time.monotonic()))
            running = tick % CHANGES_PER_SECOND < CHANGES_TO_RUNNING
            name = choice.choice(names[:RUNNING] if running else names[RUNNING:])
            changes.create_task(switch(name))
    return answered_at


def _lags(world: World, answered_at: dict[tuple[str, int], float]) -> list[float]:
    """From the API server's answer to the commit of the event, by the one clock of this machine."""
    with psycopg.connect(world.url) as connection:
        rows = connection.execute(
            """SELECT tenant_uid, generation, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
               FROM tenant_skill_events"""
        ).fetchall()
    committed_at = {(uid, generation): at for uid, generation, at in rows}
    missing = answered_at.keys() - committed_at.keys()
    assert not missing, f"{len(missing)} changes have no event"
    return sorted(max(0.0, committed_at[change] - answered_at[change]) for change in answered_at)


async def all_of(requests: Iterable[Awaitable[Any]]) -> None:
    """Make requests, a bounded number at a time."""
    waiting = iter(requests)

    async def some() -> None:
        for request in waiting:
            await request

    await asyncio.gather(*(some() for _ in range(IN_FLIGHT)))


def _tenant(name: str, suspended: bool) -> dict[str, Any]:
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {"name": name, "labels": {"pieced.ch/org-id": f"org-{int(name[-5:]) % 500}"}},
        "spec": {"displayName": name, "packages": list(PACKAGES), "suspend": suspended},
    }


def _package(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedPackage",
        "metadata": {"name": name},
        "spec": {"displayName": name, "image": f"example/{name}:1", "ports": [{"name": "http", "port": 8080}]},
    }


def render(measured: list[Measured]) -> str:
    """The table, one column for each size."""

    def row(what: str, reach: str, *values: str) -> list[str]:
        return [what, *values, reach]

    def each(text: Callable[[Measured], str]) -> list[str]:
        return [text(one) for one in measured]

    rows = [
        row("cold start: all created tenants as wanted and recorded", "", *each(lambda one: f"{one.cold_start:.1f} s")),
        row("restart on unchanged objects", "15 s at 5,000", *each(lambda one: f"{one.restart:.1f} s")),
        row("its writes to the API server", "0", *each(lambda one: str(one.restart_writes))),
        row("memory after cold start", "", *each(lambda one: f"{one.memory_after_cold_start:.0f} MB")),
        row("memory after restart", "300 MB at 5,000", *each(lambda one: f"{one.memory_after_restart:.0f} MB")),
        row("changes made, at 20 a second", "", *each(lambda one: str(one.changes))),
        row("API server's answer to committed event, p50", "", *each(lambda one: f"{percentile(one.lags, 50):.0f} ms")),
        row("… p99", "1 s", *each(lambda one: f"{percentile(one.lags, 99):.0f} ms")),
        row("… longest", "", *each(lambda one: f"{percentile(one.lags, 100):.0f} ms")),
        row("operator's processor time per change", "", *each(lambda one: f"{one.cpu_per_change_ms:.1f} ms")),
        row("operator's API requests per change", "", *each(lambda one: f"{one.requests_per_change:.1f}")),
        row("memory after the changes", "300 MB at 5,000", *each(lambda one: f"{one.memory_after_changes:.0f} MB")),
    ]
    return table(["", *(f"{one.tenants:,} tenants" for one in measured), "to reach"], rows)


def percentile(lags: list[float], percent: int) -> float:
    """A percentile of sorted durations, in milliseconds."""
    return lags[min(len(lags) - 1, len(lags) * percent // 100)] * 1000


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
