"""`kubectl get pt` shows what a tenant costs, and the operator writes it only when it has changed."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pieced_billing.invoicing.cost import tenant_costs
from pieced_billing.store.connections import connect
from pieced_operator import paths
from pieced_operator.backlog import Backlog
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as Api
from pieced_operator.cost_keeper import CostKeeper, status_of
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.workqueue import Queues
from tests import event_loops
from tests.apiserver import Json, awaited
from tests.audit import entries
from tests.books import PRICES, set_prices
from tests.clusters import Cluster
from tests.commands import PIECED
from tests.databases import DatabaseServers
from tests.logins import login_of
from tests.stacks import Stack, stack, uid_of


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Stack]:
    with stack(cluster, database_servers, worker_state) as made:
        made.package("search")
        with connect(made.database.url) as connection:
            set_prices(connection, PRICES)
        yield made


def await_cost(at_work: Stack, name: str, unlike: Json | None = None) -> Json:
    """Wait until the status of a tenant has a cost, another one than `unlike`."""

    def said() -> Json | None:
        tenant = at_work.live(name)
        assert tenant is not None
        found: Json | None = tenant.get("status", {}).get("cost")
        return found

    found = awaited(said, lambda found: found is not None and found != unlike)
    assert found is not None
    return found


def rated(at_work: Stack, uid: str) -> dict[str, str]:
    with connect(at_work.database.url) as connection:
        [found] = tenant_costs(connection, [uid])
    return status_of(found)


def test_the_cost_of_a_tenant_follows_its_changes(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("priced", suspend=True))
    paused = await_cost(at_work, "priced")
    at_work.change("priced", suspend=False)
    running = await_cost(at_work, "priced", unlike=paused)
    assert running == rated(at_work, uid)
    assert Decimal(running["forecast"]) > Decimal(paused["forecast"])
    at_work.change("priced", packages=["search"])
    with_package = await_cost(at_work, "priced", unlike=running)
    assert with_package == rated(at_work, uid)
    assert Decimal(with_package["monthToDate"]) == Decimal(running["monthToDate"]) + Decimal("5.10")
    shown = at_work.cluster.kubectl("get", "pt", "priced")
    assert [re.split("  +", row.strip())[5:7] for row in shown.splitlines()] == [
        ["CHF TO DATE", "CHF FORECAST"],
        [with_package["monthToDate"], with_package["forecast"]],
    ]


def test_a_cost_that_has_not_changed_is_not_written(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("costs-nothing", suspend=True))
    await_cost(at_work, "costs-nothing")
    at_work.change(
        "costs-nothing", packages=["search"]
    )  # nothing of a suspended tenant is billable: looked at, not written
    at_work.await_kinds(uid, "created", "suspended", "enabled search")
    at_work.tenant("after-quiet", suspend=True)
    await_cost(at_work, "after-quiet")
    assert at_work.cluster.audit_log is not None
    costs = [
        entry
        for entry in entries(at_work.cluster.audit_log)
        if entry["verb"] == "patch"
        and entry["objectRef"].get("name") == "costs-nothing"
        and '"cost"' in json.dumps(entry.get("requestObject"))
    ]
    assert len(costs) == 1


def test_a_change_of_prices_reaches_the_tenants_that_it_concerns_within_a_round(
    at_work: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the operator, whose own rounds take minutes, runs another keeper of costs that takes no time for one."""
    for name in ("_ROUND_SECONDS", "_PAUSE_SECONDS"):
        monkeypatch.setattr(f"pieced_operator.cost_keeper.{name}", 0.05)
    for name in ("concerned", "untouched"):
        at_work.tenant(name, packages=["search"] if name == "concerned" else [])
        at_work.await_phase(name, "Ready")
    cost = await_cost(at_work, "concerned")
    await_cost(at_work, "untouched")
    version = resource_version(at_work, "untouched")
    today = datetime.now(ZoneInfo("Europe/Zurich")).date()

    async def story(cost: Json) -> None:
        async with rounds(at_work):
            for day, price in ((today - timedelta(days=1), "0.50"), (today, "0.90")):
                with connect(at_work.database.url) as connection:
                    set_prices(connection, {"packages": {"search": [{"from": day, "daily_price_chf": price}]}})
                cost = await asyncio.to_thread(await_cost, at_work, "concerned", unlike=cost)

    event_loops.run(story(cost))
    assert resource_version(at_work, "untouched") == version


@asynccontextmanager
async def rounds(at_work: Stack) -> AsyncIterator[None]:
    """A keeper of costs at work on the tenants as they are now."""
    async with Api(lambda: login_of(at_work.cluster.operator_kubeconfig), ApiClock()) as api:
        inbox = Inbox("cluster", "pieced.ch/org-id", api.clock, Backlog(), Queues())
        async for page in api.pages(paths.TENANTS):
            for resource in page.items:
                inbox.tenant(resource, page.asked_at)
        keeping = asyncio.create_task(CostKeeper(api, inbox, at_work.database.url, Heartbeat()).run())
        yield
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def resource_version(at_work: Stack, name: str) -> str:
    tenant = at_work.live(name)
    assert tenant is not None
    version: str = tenant["metadata"]["resourceVersion"]
    return version


def test_the_command_is_a_plugin_of_kubectl(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("plugged", suspend=True))
    at_work.await_kinds(uid, "created", "suspended")
    env = at_work.cluster.environment() | at_work.database.env()
    env["PATH"] = f"{PIECED.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(at_work.cluster.kubectl_program), "pieced", "events", "plugged", "-o", "json"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [event["kind"] for event in json.loads(done.stdout)[0]["events"]] == ["created", "suspended"]
