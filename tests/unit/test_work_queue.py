"""The queue of tenants to work on: each at most once at a time, nothing forgotten, trouble delayed."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from pieced_operator.workqueue import FIRST_RETRY_SECONDS, WorkQueue


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=60))


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


def test_a_key_that_failed_comes_back_later() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.take()
        for delay in (FIRST_RETRY_SECONDS, 2 * FIRST_RETRY_SECONDS):
            failed_at = time.monotonic()
            queue.failed("a")
            assert await queue.take() == "a"
            assert time.monotonic() - failed_at > 0.99 * delay

    run(story())


def test_a_key_that_failed_and_changed_comes_back_once() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.take()
        queue.failed("a")
        queue.add("a")
        assert await queue.take() == "a"
        queue.done("a")
        assert await nothing_comes(queue, FIRST_RETRY_SECONDS * 3)

    run(story())


def test_a_change_is_not_kept_waiting_by_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pieced_operator.workqueue.FIRST_RETRY_SECONDS", 3600)
    monkeypatch.setattr("pieced_operator.workqueue.LONGEST_RETRY_SECONDS", 3600)

    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.take()
        queue.failed("a")
        queue.add("a")
        assert await queue.take() == "a"

    run(story())


def test_of_two_appointments_the_earlier_holds() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 3600)
        queue.add_after("a", 0.02)
        queue.add_after("a", 1800)
        assert await queue.take() == "a"
        queue.done("a")
        assert await nothing_comes(queue)

    run(story())
