"""The queue of tenants to work on: each at most once at a time, nothing forgotten, trouble delayed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from pieced_operator.workqueue import FIRST_RETRY_SECONDS, WorkQueue


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=10))


async def nothing_comes(queue: WorkQueue[str], seconds: float = 0.01) -> bool:
    try:
        await asyncio.wait_for(queue.take(), seconds)
    except TimeoutError:
        return True
    return False


def test_keys_come_in_order_and_once_however_often_they_are_added() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for key in ("a", "b", "a", "c", "b"):
            queue.add(key)
        assert [await queue.take() for _ in range(3)] == ["a", "b", "c"]
        assert await nothing_comes(queue)

    run(story())


def test_a_key_that_changes_while_it_is_worked_on_comes_once_more_afterwards() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.take()
        queue.add("a")
        queue.add("a")
        assert await nothing_comes(queue)
        queue.done("a")
        assert await queue.take() == "a"
        queue.done("a")
        assert await nothing_comes(queue)
        assert len(queue) == 0

    run(story())


def test_a_key_that_failed_comes_back_later_and_at_once_when_it_changes() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.take()
        queue.failed("a")
        assert await nothing_comes(queue, FIRST_RETRY_SECONDS / 2)
        assert await queue.take() == "a"
        queue.failed("a")
        queue.add("a")
        assert await asyncio.wait_for(queue.take(), FIRST_RETRY_SECONDS / 2) == "a"
        queue.done("a")
        assert await nothing_comes(queue, FIRST_RETRY_SECONDS * 3)

    run(story())


def test_of_two_appointments_the_earlier_holds() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 60)
        queue.add_after("a", 0.02)
        queue.add_after("a", 30)
        assert await queue.take() == "a"
        queue.done("a")
        assert await nothing_comes(queue)

    run(story())
