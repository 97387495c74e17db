"""Waiting until an operator has nothing left to do, with a line about how far it is every now and then."""

import asyncio
import os
import time
from pathlib import Path

from benchmarks.operator import recorded
from benchmarks.operator.load import Wanted
from benchmarks.operator.process import Process
from benchmarks.operator.progress import say
from benchmarks.operator.world import World

LOOK_SECONDS = 0.1
SAY_SECONDS = 30.0
RARELY_SECONDS = 1.0
"""Between looks where no figure depends on when it is seen: a look takes the machine up to a tenth of a second."""
LIMIT_SECONDS = 7200.0
QUIET_SECONDS, QUIET_REQUESTS = 2.0, 4
REST_SHARE = 0.25
MACHINE_REST_SECONDS = 10.0


async def until_idle(world: World, process: Process, tenants: int, look_seconds: float = LOOK_SECONDS) -> None:
    """Wait until its metrics say that all tenants are as wanted and recorded."""
    said_at = time.monotonic()
    async with asyncio.timeout(LIMIT_SECONDS):
        while not world.program.is_idle(process.metrics(), tenants):
            if time.monotonic() - said_at > SAY_SECONDS:
                said_at = time.monotonic()
                say(f"  {recorded.tenants(world.database.url):,} of {tenants:,} tenants in the ledger")
            await asyncio.sleep(look_seconds)


async def until_recorded(world: World, process: Process, wanted: Wanted) -> None:
    """Wait until the ledger has every tenant as its last change left it; what lies in between may be on its way."""
    said_at = time.monotonic()
    async with asyncio.timeout(LIMIT_SECONDS):
        while left := recorded.behind(world.database.url, wanted):
            assert process.popen.poll() is None, "the operator ended"
            if time.monotonic() - said_at > SAY_SECONDS:
                said_at = time.monotonic()
                say(f"  {left:,} tenants are not up to date in the ledger")
            await asyncio.sleep(RARELY_SECONDS)


async def until_at_rest(process: Process) -> None:
    """Wait until it needs less than a quarter of a processor: after a start kopf lists what is known already."""
    async with asyncio.timeout(LIMIT_SECONDS):
        used = float("inf")
        while used > REST_SHARE * QUIET_SECONDS:
            before = process.cpu_seconds()
            await asyncio.sleep(QUIET_SECONDS)
            used = process.cpu_seconds() - before


async def until_machine_at_rest() -> None:
    """Wait until all processes together need less than a quarter of a processor.

    Kubernetes' controllers are at work for minutes after they were started over thousands of namespaces, and after so
    many were made.
    """
    async with asyncio.timeout(LIMIT_SECONDS):
        used = float("inf")
        while used > REST_SHARE * MACHINE_REST_SECONDS:
            before = _machine_cpu_seconds()
            await asyncio.sleep(MACHINE_REST_SECONDS)
            used = _machine_cpu_seconds() - before


def _machine_cpu_seconds() -> float:
    """Processor time that was used on this machine since it started."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


async def until_quiet(world: World, process: Process) -> None:
    """Wait until hardly a request is made any more: Events and costs come when all is as wanted already."""
    if world.program.requests is None:
        return
    async with asyncio.timeout(LIMIT_SECONDS):
        before, now = float("-inf"), process.metrics()[world.program.requests]
        while now - before > QUIET_REQUESTS:
            await asyncio.sleep(QUIET_SECONDS)
            before, now = now, process.metrics()[world.program.requests]
