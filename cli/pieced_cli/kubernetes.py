"""The cluster for one piece of a command's work."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster
from pieced_operator.login import login

Result = TypeVar("Result")


def with_cluster(work: Callable[[Cluster], Awaitable[Result]]) -> Result:
    """What `work` gives, done in an event loop of its own. Raises what the login and the work raise."""

    async def run() -> Result:
        async with Cluster(login, ApiClock()) as cluster:
            return await work(cluster)

    return asyncio.run(run())
