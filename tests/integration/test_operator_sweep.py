"""What a sweep finds that no watch delivered: here nothing watches at all."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client import REGISTRY, generate_latest

from pieced_billing.ledger.checks import save_check
from pieced_billing.ledger.discrepancy import Disagreement, Discrepancy
from pieced_billing.ledger.observation import Observation
from pieced_billing.store.connections import connect
from pieced_local import cluster as local_cluster
from pieced_operator.backlog import Backlog
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as Api
from pieced_operator.halts import ClusterReplaced, SweepHalted
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.missing import Missing
from pieced_operator.sweep import Sweep
from pieced_operator.went_back import ClusterWentBack, ListLags
from pieced_operator.workqueue import Queues
from tests import event_loops
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database
from tests.faults.database_proxy import database_proxy
from tests.faults.loop_thread import loop_thread
from tests.logins import login_of
from tests.stacks import recorded_of

TENANT = """
apiVersion: pieced.ch/v1alpha1
kind: PiecedTenant
metadata:
  name: swept
  labels: {pieced.ch/org-id: "310001"}
  finalizers: [pieced.ch/billing]
spec: {displayName: Swept, packages: [broom]}
"""
PACKAGE = """
apiVersion: pieced.ch/v1alpha1
kind: PiecedPackage
metadata: {name: broom}
spec: {displayName: Broom, image: "example/broom:1"}
"""


def id_of(cluster: Cluster) -> str:
    return cluster.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")


@dataclass
class Watchless:
    """An inbox that nothing feeds but sweeps."""

    sweep: Sweep
    missing: Missing
    inbox: Inbox
    backlog: Backlog

    async def told(self) -> list[Observation]:
        """What the ledger was told of our tenant since the last time."""
        taken = await self.backlog.take(10_000) if len(self.backlog) else []
        for queue in taken:
            self.backlog.committed(queue[0].seen.uid)
        return [pending.seen for queue in taken for pending in queue if pending.seen.tenant == "swept"]


def sweeping(
    cluster: Cluster, database: Database, story: Callable[[Watchless], Awaitable[None]], cluster_id: str | None = None
) -> None:
    info = login_of(cluster.kubeconfig)

    async def run() -> None:
        async with Api(lambda: info, ApiClock()) as api:
            known_as = cluster_id or id_of(cluster)
            backlog = Backlog()
            inbox = Inbox(known_as, "pieced.ch/org-id", api.clock, backlog, Queues())
            ledger = LedgerReader(database.url, known_as)
            sweep = Sweep(api, known_as, inbox, ledger, Heartbeat())
            await story(Watchless(sweep, Missing(api, inbox, ledger), inbox, backlog))

    event_loops.run(asyncio.wait_for(run(), 180))


def children_read() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@pytest.fixture
def swept(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    for wait in ("SOON_SECONDS", "REPLAY_SECONDS"):
        monkeypatch.setattr(f"pieced_operator.sweep.{wait}", 0)
    cluster.kubectl("apply", "-f", "-", stdin=PACKAGE)
    cluster.kubectl("apply", "-f", "-", stdin=TENANT)
    yield cluster
    remove(cluster)
    cluster.kubectl("delete", "pp", "broom", "--ignore-not-found")


def remove(cluster: Cluster) -> None:
    """The tenant goes as if somebody had stripped its finalizer."""
    if cluster.kubectl("get", "pt", "swept", "--ignore-not-found"):
        cluster.kubectl("patch", "pt", "swept", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        cluster.kubectl("delete", "pt", "swept")


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


def remembered(cluster: Cluster, database: Database, count: int) -> list[str]:
    """Tenants that a ledger holds to be alive, in the cluster that the sweep looks at."""
    uids = [f"u-{number}" for number in range(count)]
    lines = [
        {
            "kind": "created",
            "uid": uid,
            "tenant": f"lost-{uid}",
            "org": "1",
            "at": "2026-03-01T09:00:00Z",
            "cluster": id_of(cluster),
        }
        for uid in uids
    ]
    run_pieced("ledger", "import", "-", env=database.env(), stdin="\n".join(map(json.dumps, lines)))
    return uids


def halted(reason: str) -> bool:
    """Whether the metrics say that the latest sweep halted, and why."""
    return f'pieced_sweep_halted{{reason="{reason}"}} 1.0' in generate_latest().decode()


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
