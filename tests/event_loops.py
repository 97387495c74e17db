"""Event loops of tests: no connection outlives the loop that it was made in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, as `asyncio.run` does, and close what connections it leaves behind."""

    async def told() -> T:
        try:
            return await story
        finally:
            await abort_connections()

    return asyncio.run(told())


async def abort_connections() -> None:
    """Close every connection of this loop at once.

    A client of HTTPS whose request was cancelled says goodbye in its own time, and waits for the answer, after the
    client was closed. When its loop ends first, the socket is left to Python's collector, which complains about it
    during whichever test comes next.
    """
    transports = asyncio.get_running_loop()._transports  # type: ignore[attr-defined]
    while left := [one for one in tuple(transports.values()) if one.get_extra_info("socket").fileno() >= 0]:
        for transport in left:
            transport.abort()
        await asyncio.sleep(0)
