"""How far the watch has come: never further than what is committed, and not at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from pieced_operator import position
from pieced_operator.backlog import Backlog
from pieced_operator.decode import decode_version
from pieced_operator.position import Position
from pieced_operator.tenants import Held, Tenants
from tests.observations import first_version
from tests.tenants import resource


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass without waiting for it."""
    now = [1000.0]

    class Clock:
        monotonic = staticmethod(lambda: now[0])

    monkeypatch.setattr(position, "time", Clock)

    def pass_seconds(seconds: float) -> None:
        now[0] += seconds

    return pass_seconds


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=60))


def test_a_version_counts_a_few_seconds_after_its_delivery(clock: Callable[[float], None]) -> None:
    here = Position(Backlog(), Tenants())
    assert here.safe() is None
    here.reached(100)
    clock(2)
    here.reached(200)
    assert here.safe() is None
    clock(2)
    assert here.safe() == 100
    clock(2)
    assert here.safe() == 200


def test_what_one_stream_delivered_in_order_counts_at_once(clock: Callable[[float], None]) -> None:
    here = Position(Backlog(), Tenants())
    here.reached(500)
    here.passed(100)
    assert here.safe() == 100
    clock(10)
    assert here.safe() == 500


def test_it_stays_before_what_waits_for_the_ledger_until_that_is_committed(clock: Callable[[float], None]) -> None:
    async def story() -> None:
        backlog = Backlog()
        here = Position(backlog, Tenants())
        for number in (100, 101):
            backlog.put(replace(first_version("a"), resource_version=number))
        backlog.put(replace(first_version("b"), resource_version=102))
        here.reached(102)
        clock(10)
        assert here.safe() == 99
        ((_, second),) = (queue,) = await backlog.take(1)
        assert here.safe() == 99
        del queue[0]
        assert here.safe() == 100
        backlog.put_back("a", [second])
        assert here.safe() == 100
        for uid in ("b", "a"):
            await backlog.take(1)
            backlog.committed(uid)
        assert here.safe() == 102

    run(story())


def test_a_tenant_that_the_ledger_refuses_holds_up_nobody_else(clock: Callable[[float], None]) -> None:
    async def story() -> None:
        backlog = Backlog()
        here = Position(backlog, Tenants())
        backlog.put(replace(first_version("a"), resource_version=100))
        (queue,) = await backlog.take(1)
        here.reached(150)
        clock(10)
        assert here.safe() == 99
        backlog.park("a")
        assert here.safe() == 150
        backlog.put_back("a", queue)
        assert here.safe() == 99

    run(story())


def test_it_stays_before_a_tenant_that_is_not_accepted_yet(clock: Callable[[float], None]) -> None:
    tenants = Tenants()
    version = decode_version(resource(resourceVersion="100"), "pieced.ch/org-id")
    known = tenants.put(version, b"{}")
    known.held.append(Held(version, time.monotonic(), None))
    here = Position(Backlog(), tenants)
    here.reached(100)
    clock(10)
    assert here.safe() == 99
    known.held.clear()
    assert here.safe() == 100
