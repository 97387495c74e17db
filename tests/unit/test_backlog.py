"""Observations that wait for the database: in order per tenant, bounded in all."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from pieced_operator import backlog
from pieced_operator.backlog import Backlog, Pending
from tests.observations import first_version


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=60))


def put(queue: Backlog, uid: str, *generations: int) -> None:
    for generation in generations:
        queue.put(replace(first_version(uid), generation=generation))


def content(taken: list[list[Pending]]) -> dict[str, list[int]]:
    return {one[0].seen.uid: [pending.seen.generation for pending in one] for one in taken}


def test_a_tenant_is_taken_with_all_that_waits_and_by_one_taker_at_a_time() -> None:
    async def story() -> None:
        queue = Backlog()
        put(queue, "a", 1, 2)
        put(queue, "b", 1)
        assert content(await queue.take(1)) == {"a": [1, 2]}
        put(queue, "a", 3)
        assert content(await queue.take(5)) == {"b": [1]}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.take(5), 0.01)
        queue.committed("a")
        assert content(await queue.take(5)) == {"a": [3]}
        queue.committed("a")
        queue.committed("b")
        assert len(queue) == 0
        assert queue.oldest_since() is None

    run(story())


def test_what_can_wait_is_taken_after_all_changes() -> None:
    async def story() -> None:
        queue = Backlog()
        for uid in ("a", "b", "c"):
            queue.put(first_version(uid), can_wait=True)
        put(queue, "d", 1)
        put(queue, "b", 2)
        assert list(content(await queue.take(5))) == ["d", "b"]
        assert list(content(await queue.take(1))) == ["a"]
        queue.committed("b")
        put(queue, "b", 3)
        queue.put(replace(first_version("b"), generation=3), can_wait=True)
        assert content(await queue.take(5)) == {"b": [3, 3]}
        assert list(content(await queue.take(5))) == ["c"]

    run(story())


def test_what_could_not_be_written_comes_first_again() -> None:
    async def story() -> None:
        queue = Backlog()
        put(queue, "a", 1, 2, 3)
        ((first, *rest),) = await queue.take(1)
        assert first.seen.generation == 1
        put(queue, "a", 4)
        assert queue.waits_for("a")
        queue.put_back("a", rest)
        assert content(await queue.take(1)) == {"a": [2, 3, 4]}

    run(story())


def test_what_waits_of_a_tenant_is_told_whoever_has_it() -> None:
    async def story() -> None:
        queue = Backlog()
        put(queue, "a", 1, 2)
        put(queue, "b", 1)
        assert queue.changed_since_last_asked() == {"a", "b"}
        ((first, _),) = await queue.take(1)
        put(queue, "a", 3)
        assert [pending.seen.generation for pending in queue.pending("a")] == [1, 2, 3]
        assert first.seen.generation == 1
        assert queue.changed_since_last_asked() == {"a"}
        assert queue.uids() == {"a", "b"}
        queue.committed("a")
        assert [pending.seen.generation for pending in queue.pending("a")] == [3]

    run(story())


def test_beyond_the_limit_the_newest_replaces_the_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        queue = Backlog()
        put(queue, "a", 1, 2, 3, 4, 5)
        put(queue, "b", 1, 2)
        assert content(await queue.take(5)) == {"a": [1, 2, 5], "b": [2]}

    monkeypatch.setattr(backlog, "LIMIT", 3)
    run(story())


def test_beyond_the_limit_a_change_still_goes_before_what_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        queue = Backlog()
        for uid in ("a", "b"):
            queue.put(first_version(uid), can_wait=True)
        put(queue, "b", 2)
        assert content(await queue.take(5)) == {"b": [2]}
        assert list(content(await queue.take(5))) == ["a"]
        put(queue, "c", 1)
        put(queue, "d", 1)
        queue.put(replace(first_version("c"), generation=2), can_wait=True)
        assert content(await queue.take(5)) == {"c": [2], "d": [1]}

    monkeypatch.setattr(backlog, "LIMIT", 2)
    run(story())
