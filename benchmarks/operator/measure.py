"""The parts of a measurement, one after the other: each adds its figures to those that are kept."""

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import kopf

from benchmarks.operator import population, recorded, results
from benchmarks.operator.load import A_SECOND, Load, load
from benchmarks.operator.process import Process
from benchmarks.operator.progress import say
from benchmarks.operator.results import Figures
from benchmarks.operator.sweeping import sweep
from benchmarks.operator.usage import Spent, Usage
from benchmarks.operator.waiting import (
    RARELY_SECONDS,
    until_at_rest,
    until_idle,
    until_machine_at_rest,
    until_quiet,
    until_recorded,
)
from benchmarks.operator.world import World
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster

CHANGE_SECONDS = 60.0
TOGGLES = 1_000
OUTAGE_SECONDS = 300.0


@dataclass(frozen=True)
class Running:
    """An operator that has caught up, and the load that is made for it."""

    world: World
    process: Process
    load: Load
    tenants: int
    outage_seconds: float

    async def until_caught_up(self) -> None:
        """Wait until every change is in the ledger, all is as wanted and said."""
        await until_recorded(self.world, self.process, self.load.wanted)
        await until_idle(self.world, self.process, self.tenants, RARELY_SECONDS)
        await until_quiet(self.world, self.process)


Part: TypeAlias = Callable[[Running], Awaitable[Figures]]


async def measure(world: World, tenants: int, parts: list[str], outage_seconds: float) -> None:
    """Measure the parts asked for; the tenants are made first where they are not there yet."""
    column = (world.program.name, tenants)
    async with Cluster(partial(_log_in, world.cluster.kubeconfig), ApiClock()) as api:
        if not world.is_populated:
            results.keep(column, await _cold_start(world, api, tenants))
            world.mark_populated()
        else:
            await _warm_up(world, tenants)
        process, figures = await _restart(world, tenants)
        if "restart" in parts:
            results.keep(column, figures)
        await until_at_rest(process)
        running = Running(world, process, await load(api, tenants), tenants, outage_seconds)
        for name, part in AFTER_START.items():
            if name in parts:
                say(f"{name}")
                running.load.answered.clear()
                results.keep(column, await part(running))
        process.stop()


async def _cold_start(world: World, api: Cluster, tenants: int) -> Figures:
    await population.make_packages(api)
    process = world.start()
    await until_idle(world, process, 0)
    empty_mb = process.memory_mb()
    process.stop()

    say(f"cold: making {tenants:,} tenants")
    await population.make_tenants(api, tenants)
    say("cold: starting")
    process, seconds, spent = await _started(world, tenants)
    assert recorded.tenants(world.database.url) == tenants
    figures = {
        "empty_mb": empty_mb,
        "cold_seconds": seconds,
        "cold_cpu_ms_per_tenant": spent.cpu_seconds * 1000 / tenants,
        "cold_writes_per_tenant": spent.writes / tenants,
        "cold_mb": process.memory_mb(),
    }
    process.stop()
    return figures


async def _warm_up(world: World, tenants: int) -> None:
    """On a cluster that was kept, and whose API server has just begun: let everything be read once before."""
    say("warming up")
    process = world.start()
    await until_idle(world, process, tenants)
    process.stop()


async def _restart(world: World, tenants: int) -> tuple[Process, Figures]:
    """Start again over tenants that are as wanted; the process goes on for the other parts."""
    say("restart, once the machine is at rest")
    await until_machine_at_rest()
    process, seconds, spent = await _started(world, tenants)
    return process, {
        "restart_seconds": seconds,
        "restart_cpu_seconds": spent.cpu_seconds,
        "restart_writes": spent.writes,
        "restart_mb": process.memory_mb(),
    }


async def _started(world: World, tenants: int) -> tuple[Process, float, Spent]:
    """Start the operator and wait until all is as wanted: how many seconds that took, and what it cost."""
    usage = Usage(world)
    began_at = time.monotonic()
    process = world.start()
    await until_idle(world, process, tenants)
    return process, time.monotonic() - began_at, usage.until_now(process)


async def _changes(running: Running) -> Figures:
    """Changes at a steady rate: how soon each is in the ledger, and what they cost."""
    usage = Usage(running.world, running.process)
    await running.load.steady(CHANGE_SECONDS)
    await running.until_caught_up()
    spent = usage.until_now(running.process)
    found = recorded.recorded(running.world.database.url, running.load.answered)
    made = len(running.load.answered)
    figures = {
        "changes": made,
        "changes_p50_ms": found.percentile_ms(50),
        "changes_p99_ms": found.percentile_ms(99),
        "changes_longest_ms": found.percentile_ms(100),
        "changes_without_event": found.without_event,
        "changes_cpu_ms": spent.cpu_seconds * 1000 / made,
        "changes_writes": spent.writes / made,
        "changes_mb": running.process.memory_mb(),
    }
    return figures if spent.requests is None else figures | {"changes_requests": spent.requests / made}


async def _toggles(running: Running) -> Figures:
    """One tenant changed again and again, as fast as the API server takes it."""
    usage = Usage(running.world, running.process)
    began_at = time.time()
    await running.load.toggle_one(TOGGLES)
    ended_at = time.time()
    await running.until_caught_up()
    spent = usage.until_now(running.process)
    found = recorded.recorded(running.world.database.url, running.load.answered)
    return {
        "toggles_a_second": TOGGLES / (ended_at - began_at),
        "toggles_without_event": found.without_event,
        "toggles_p99_ms": found.percentile_ms(99),
        "toggles_caught_up_seconds": max(0.0, found.last_commit_at - ended_at),
        "toggles_cpu_ms": spent.cpu_seconds * 1000 / TOGGLES,
        "toggles_writes": spent.writes / TOGGLES,
    }


async def _outage(running: Running) -> Figures:
    """Changes go on while Postgres is away; how soon the ledger has them all once it is back."""
    database = running.world.database
    database.stop()
    try:
        await running.load.steady(running.outage_seconds)
    finally:
        database.start()
    back_at = time.time()
    memory_mb = running.process.memory_mb()
    say(f"outage: Postgres is back, {len(running.load.answered):,} changes were made at {A_SECOND} a second")
    await running.until_caught_up()
    found = recorded.recorded(database.url, running.load.answered)
    return {
        "outage_seconds": running.outage_seconds,
        "outage_changes": len(running.load.answered),
        "outage_without_event": found.without_event,
        "outage_caught_up_seconds": found.last_commit_at - back_at,
        "outage_mb": memory_mb,
        "peak_mb": running.process.peak_memory_mb(),
    }


async def _sweep(running: Running) -> Figures:
    return await sweep(running.world, running.process, running.tenants)


AFTER_START: dict[str, Part] = {"sweep": _sweep, "changes": _changes, "toggles": _toggles, "outage": _outage}
PARTS = ("cold", "restart", *AFTER_START)


def _log_in(kubeconfig: Path) -> kopf.ConnectionInfo:
    os.environ["KUBECONFIG"] = str(kubeconfig)
    info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings())
    assert info is not None
    return info
