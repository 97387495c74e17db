"""The changes that are made while an operator is measured: a package switched on or off, and when that was answered."""

import asyncio
import random
import time
from collections import defaultdict
from typing import TypeAlias

from benchmarks.operator import population
from pieced_operator import paths
from pieced_operator.cluster import Cluster

A_SECOND = 50
TO_RUNNING = 5
SWITCHED = "telegram"

Answered: TypeAlias = dict[tuple[str, int], float]
"""When the API server answered a change, in seconds since the epoch, by the tenant's uid and the new generation."""

Wanted: TypeAlias = dict[str, list[str]]
"""The packages that a tenant has since its last change, sorted, by its uid."""


class Load:
    """Makes changes to tenants; each change of a tenant undoes the one before it."""

    def __init__(self, api: Cluster, tenants: int, enabled: set[str]) -> None:
        self._api = api
        self._names = population.names(tenants)
        self._enabled = enabled
        self._choice = random.Random(20260301)
        self._turn: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.answered: Answered = {}
        self.wanted: Wanted = {}

    async def steady(self, seconds: float) -> None:
        """A_SECOND changes a second to random tenants, TO_RUNNING of them to tenants that run."""
        running, suspended = self._names[: population.RUNNING], self._names[population.RUNNING :]
        began_at = time.monotonic()
        async with asyncio.TaskGroup() as changes:
            for tick in range(int(seconds * A_SECOND)):
                await asyncio.sleep(max(0.0, began_at + tick / A_SECOND - time.monotonic()))
                among = running if tick % A_SECOND < TO_RUNNING else suspended
                changes.create_task(self._switch(self._choice.choice(among)))

    async def toggle_one(self, times: int) -> None:
        """Changes to one tenant, each as soon as the one before it was answered."""
        for _ in range(times):
            await self._switch(self._names[-1])

    async def _switch(self, name: str) -> None:
        async with self._turn[name]:  # two at once could arrive the other way round, and change nothing
            self._enabled.symmetric_difference_update({name})
            packages = [one for one in population.PACKAGES if one != SWITCHED or name in self._enabled]
            changed = await self._api.merge(paths.tenant(name), {"spec": {"packages": packages}})
            uid = changed["metadata"]["uid"]
            self.answered[uid, changed["metadata"]["generation"]] = time.time()
            self.wanted[uid] = packages


async def load(api: Cluster, tenants: int) -> Load:
    """A load that begins with the tenants as they are."""
    enabled: set[str] = set()
    async for page in api.pages(paths.TENANTS):
        enabled.update(one["metadata"]["name"] for one in page.items if SWITCHED in one["spec"]["packages"])
    return Load(api, tenants, enabled)
