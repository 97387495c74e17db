"""A sweep that comes when its time has come: how long it took, what it cost, and what the operator uses at rest."""

import asyncio
import time

from benchmarks.operator.process import Process
from benchmarks.operator.progress import say
from benchmarks.operator.results import Figures
from benchmarks.operator.waiting import until_idle
from benchmarks.operator.world import World
from pieced_operator.sweep import INTERVAL_SECONDS, SOON_SECONDS

SAMPLE_SECONDS = 0.5
COUNT, SECONDS = "pieced_sweep_seconds_count", "pieced_sweep_seconds_sum"


async def sweep(world: World, process: Process, tenants: int) -> Figures:
    """The figures of a sweep in the midst of rest, not of the one soon after the start; none where there is none."""
    if COUNT not in process.metrics():
        return {}
    say(f"  comes within {INTERVAL_SECONDS + SOON_SECONDS:.0f} s")
    if process.metrics()[COUNT] == 0:
        await _next(process)
    await until_idle(world, process, tenants)
    before = process.metrics()[SECONDS]
    samples = await _next(process)
    listing_seconds = process.metrics()[SECONDS] - before
    listed_at = samples[-2][0]  # or up to a sample later: no time is left out
    began_at, cpu_before = next(one for one in reversed(samples) if one[0] <= listed_at - listing_seconds)
    await until_idle(world, process, tenants)
    rest_began_at, rest_cpu = samples[0]
    return {
        "sweep_seconds": time.monotonic() - listed_at + listing_seconds,
        "sweep_cpu_seconds": process.cpu_seconds() - cpu_before,
        "rest_cpu_percent": (cpu_before - rest_cpu) / (began_at - rest_began_at) * 100,
    }


async def _next(process: Process) -> list[tuple[float, float]]:
    """Wait until a sweep ends; samples until then of (monotonic instant, processor time used)."""
    before = process.metrics()[COUNT]
    samples = [(time.monotonic(), process.cpu_seconds())]
    async with asyncio.timeout(2 * (INTERVAL_SECONDS + SOON_SECONDS)):
        while process.metrics()[COUNT] == before:
            await asyncio.sleep(SAMPLE_SECONDS)
            samples.append((time.monotonic(), process.cpu_seconds()))
    return samples
