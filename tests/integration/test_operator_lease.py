"""Who holds the Lease while the API server cannot be reached, and what comes of it when it answers again."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as Api
from pieced_operator.lease import PATH, Lease
from tests import event_loops
from tests.faults.api_proxy import ApiProxy
from tests.faults.loop_thread import LoopThread
from tests.logins import login_of

SECONDS = 60


def unanswered() -> float:
    """How many reads of the API server nobody answered so far."""
    return REGISTRY.get_sample_value("pieced_api_requests_total", {"verb": "GET", "code": "none"}) or 0


async def await_renewals(api: Api, count: int = 2) -> None:
    """Wait until the Lease has been written so often."""
    versions = set[str]()
    async with asyncio.timeout(SECONDS):
        while len(versions) <= count:
            versions.add((await api.get(PATH))["metadata"]["resourceVersion"])
            await asyncio.sleep(0.01)


async def await_failures(count: int = 2) -> None:
    """Wait until so many reads have been in vain."""
    before = unanswered()
    async with asyncio.timeout(SECONDS):
        while unanswered() < before + count:
            await asyncio.sleep(0.01)


def test_that_the_api_server_answers_again_is_told_once(
    loop: LoopThread, proxied: tuple[ApiProxy, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, kubeconfig = proxied
    monkeypatch.setattr("pieced_operator.lease._RENEW_SECONDS", 0.05)
    told: list[bool] = []

    async def story() -> None:
        async with Api(lambda: login_of(kubeconfig), ApiClock()) as api:
            lease = Lease(api, "steady")
            await lease.acquire()
            keeping = asyncio.create_task(lease.keep(lambda: told.append(True)))
            await await_renewals(api)
            assert told == []
            await asyncio.to_thread(loop.run, proxy.refuse(True))
            await await_failures()
            await asyncio.to_thread(loop.run, proxy.refuse(False))
            await await_renewals(api)
            assert told == [True]
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await lease.release()

    event_loops.run(story())
