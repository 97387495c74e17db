"""When a sweep halts: what it finds is more likely an error than the truth, and nothing is ended."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from pieced_local import cluster as local_cluster
from pieced_operator.halts import ClusterReplaced, SweepHalted
from pieced_operator.went_back import ClusterWentBack, ListLags
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database
from tests.stacks import recorded_of
from tests.sweeps import Watchless, children_read, halted, remembered, remove, sweeping


def test_when_too_many_are_missing_none_is_ended(swept: Cluster, database: Database) -> None:
    uids = remembered(swept, database, 6)

    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        await watchless.told()
        with pytest.raises(SweepHalted, match=r"6 of [0-9]+ tenants"):
            await watchless.sweep.once()
        remove(swept)
        with pytest.raises(SweepHalted, match=r"7 of [0-9]+ tenants"):
            await watchless.sweep.once()
        assert not any(seen.gone for seen in await watchless.told())

    sweeping(swept, database, story)
    assert {len(events) for events in recorded_of(database, uids).values()} == {1}
    assert "pieced_sweep_missing_tenants 7.0" in generate_latest().decode()


def test_a_halted_sweep_is_told_by_metrics_until_one_succeeds(swept: Cluster, database: Database) -> None:
    remembered(swept, database, 6)

    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        sweeps = asyncio.create_task(watchless.sweep.run(children_read()))
        while not halted("too_many_missing"):
            await asyncio.sleep(0.01)
        sweeps.cancel()
        await asyncio.gather(sweeps, return_exceptions=True)
        run_pieced("ledger", "import", "-", env=database.env(), stdin="\n".join(map(json.dumps, ends(6))))
        await watchless.sweep.once()

    sweeping(swept, database, story)
    assert not halted("too_many_missing")


def ends(count: int) -> list[dict[str, str]]:
    return [{"kind": "deleted", "uid": f"u-{number}", "at": "2026-03-02T09:00:00Z"} for number in range(count)]


def test_in_another_cluster_nothing_is_done(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        await watchless.told()
        remove(swept)
        with pytest.raises(ClusterReplaced):
            await watchless.sweep.run(children_read())
        assert await watchless.told() == []

    sweeping(swept, database, story, cluster_id="another one")
    assert halted("other_cluster")


def test_data_that_went_back_ends_the_process(swept: Cluster, database: Database) -> None:
    """As after the restore of a backup: what is listed is older than what was known before."""

    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        resource = json.loads(swept.kubectl("get", "pt", "swept", "-o", "json"))
        resource["metadata"]["resourceVersion"] = "9000000000"
        watchless.inbox.tenant(resource)
        with pytest.raises(ClusterWentBack):
            await watchless.sweep.run(children_read())

    sweeping(swept, database, story)


def test_a_list_that_lags_behind_says_nothing(swept: Cluster, database: Database) -> None:
    async def story(watchless: Watchless) -> None:
        await watchless.sweep.first(None)
        resource = json.loads(swept.kubectl("get", "pt", "swept", "-o", "json"))
        resource["metadata"] |= {"name": "delivered-since", "uid": "u-since", "resourceVersion": "9000000000"}
        watchless.inbox.tenant(resource)
        remove(swept)
        await watchless.told()
        with pytest.raises(ListLags):
            await watchless.sweep.once()
        assert await watchless.told() == []

    sweeping(swept, database, story)


def test_kinds_that_are_not_served_say_nothing_of_their_tenants(worker_state: Path, database: Database) -> None:
    with local_cluster.running(worker_state / "kindless") as kindless:
        (uid,) = remembered(kindless, database, 1)
        env = database.env() | {"KUBECONFIG": str(kindless.kubeconfig)}
        for command in (["ledger", "check"], ["backfill"]):
            done = run_pieced(*command, env=env, check=False)
            assert (done.returncode, done.stdout) == (1, "")
            sentence = "The cluster does not serve pieced(packages|tenants): apply .* by KUBECONFIG."
            assert re.fullmatch(f"pieced: {sentence}\n", done.stderr)

        async def story(watchless: Watchless) -> None:
            with pytest.raises(SweepHalted, match="does not serve our kinds"):
                await watchless.sweep.once()

        sweeping(kindless, database, story)
    assert [event.kind for event in recorded_of(database, [uid])[uid]] == ["created"]
