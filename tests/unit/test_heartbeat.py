"""Signs of life: who waits for the ledger's database is alive."""

import asyncio

import pytest

from pieced_operator import heartbeat
from pieced_operator.heartbeat import Heartbeat


def test_a_loop_that_waits_for_the_database_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_WAITING_SECONDS", 0.01)

    async def wait_for_long() -> str:
        heart = Heartbeat()
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        heart.beat("cost", within_seconds=-1)
        assert heart.silent() == ["cost"]
        waiting = asyncio.create_task(heart.while_waiting("cost", answer))
        async with asyncio.timeout(60):
            while heart.silent():
                await asyncio.sleep(0.01)
        answer.set_result("answered")
        return await waiting

    assert asyncio.run(wait_for_long()) == "answered"
