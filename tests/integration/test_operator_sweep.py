"""What a sweep finds that no watch delivered: here nothing watches at all."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from prometheus_client import REGISTRY, generate_latest

from pieced_billing.ledger.checks import save_check
from pieced_billing.ledger.discrepancy import Disagreement, Discrepancy
from pieced_billing.store.connections import connect
from tests.clusters import Cluster
from tests.databases import Database
from tests.faults.database_proxy import database_proxy
from tests.faults.loop_thread import loop_thread
from tests.stacks import recorded_of
from tests.sweeps import Watchless, children_read, id_of, remembered, remove, sweeping


def test_the_first_sweep_tells_all_there_is_and_knows_the_catalogue_before_the_tenants(
    swept: Cluster, database: Database
) -> None:
    async def story(watchless: Watchless) -> None:
        assert (await watchless.sweep.first(None)).version
        (seen,) = await watchless.told()
        assert (seen.packages, seen.asked_at is not None, seen.source) == (frozenset({"broom"}), True, "sweep")

    sweeping(swept, database, story)


def test_a_sweep_confirms_what_is_known(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        (first,) = await watchless.told()
        await watchless.sweep.once()
        (again,) = await watchless.told()
        assert again.asked_at is not None
        assert again.generation == first.generation
        assert again.seen_at >= first.written_at  # both are upper bounds, the later one the tighter

    sweeping(swept, database, story)


def test_a_change_is_left_to_the_watch_until_a_second_sweep_still_misses_it(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        await watchless.told()
        swept.kubectl("patch", "pt", "swept", "--type=merge", "-p", '{"spec":{"suspend":true}}')
        await watchless.sweep.once()
        assert await watchless.told() == []
        await watchless.sweep.once()
        (seen,) = await watchless.told()
        assert (seen.suspended, seen.generation, seen.asked_at is not None) == (True, 2, True)

    sweeping(swept, database, story)


def test_a_tenant_that_vanished_is_told_as_gone(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        await watchless.told()
        remove(swept)
        before = watchless.inbox.tenants.named("swept")
        assert before is not None
        await watchless.sweep.once()
        (seen,) = await watchless.told()
        assert (seen.gone, seen.uid, seen.source) == (True, before.version.uid, "sweep")
        await watchless.sweep.once()
        assert await watchless.told() == []

    sweeping(swept, database, story)


def test_a_tenant_that_only_a_list_lacks_has_not_vanished(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        await watchless.told()
        known = watchless.inbox.tenants.named("swept")
        assert known is not None
        await watchless.missing.settle([], {known.version.uid}, set())
        assert await watchless.told() == []

    sweeping(swept, database, story)


def test_a_package_that_vanished_leaves_the_catalogue(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        assert "broom" in watchless.inbox.catalogue.packages
        swept.kubectl("delete", "pp", "broom")
        await watchless.sweep.once()
        assert "broom" not in watchless.inbox.catalogue.packages

    sweeping(swept, database, story)


def test_what_vanished_while_nobody_looked_is_ended_in_the_ledger(swept: Cluster, database: Database) -> None:
    (uid,) = remembered(swept, database, 1)

    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        for _ in range(2):
            await watchless.sweep.once()

    sweeping(swept, database, story)
    _, deleted = recorded_of(database, [uid])[uid]
    assert (deleted.kind, deleted.quality, deleted.source) == ("deleted", "inferred", "sweep")


def sweeps_so_far() -> float | None:
    return REGISTRY.get_sample_value("pieced_sweep_seconds_count")


def test_a_sweep_without_the_ledger_is_made_up_for_soon(
    swept: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who ended while the operator was dead and its database away is not left until the next sweep that is due."""
    (uid,) = remembered(swept, database, 1)
    monkeypatch.setattr("pieced_operator.sweep.WITHOUT_LEDGER_SECONDS", 0.1)
    port = urlsplit(database.url).port
    assert port is not None

    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        before = sweeps_so_far()
        sweeps = asyncio.create_task(watchless.sweep.run(children_read()))
        while sweeps_so_far() == before:
            await asyncio.sleep(0.01)
        assert len(recorded_of(database, [uid])[uid]) == 1
        await asyncio.to_thread(loop.run, proxy.refuse(False))
        while len(recorded_of(database, [uid])[uid]) == 1:
            await asyncio.sleep(0.05)
        sweeps.cancel()
        await asyncio.gather(sweeps, return_exceptions=True)

    with loop_thread() as loop, database_proxy(loop, port) as proxy:
        loop.run(proxy.refuse(True))
        through = replace(database, url=database.url.replace(f":{port}/", f":{proxy.port}/"))
        sweeping(swept, through, story)


def test_the_latest_check_of_the_ledger_is_told_by_metrics(swept: Cluster, database: Database) -> None:
    with connect(database.url) as connection:
        save_check(connection, id_of(swept), [Discrepancy(Disagreement.OVERLAP, "swept", "u", "what", "to do")])

    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        await watchless.sweep.once()

    sweeping(swept, database, story)
    told = generate_latest().decode()
    assert 'pieced_ledger_discrepancies{kind="overlap"} 1.0' in told
    assert 'pieced_ledger_discrepancies{kind="counter"} 0.0' in told
    assert "pieced_ledger_checked_timestamp_seconds 0.0" not in told
