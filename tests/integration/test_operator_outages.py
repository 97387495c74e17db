"""What the ledger knows after somebody was away: the operator, its database, the API server, one of two replicas."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pieced_billing.store.connections import connect
from tests.apiserver import awaited
from tests.audit import writes_of_the_operator
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.operators import Operator, outage
from tests.stacks import Stack, second_of, stack, uid_of, written_by

FAILOVER_SECONDS = 15
ATTEMPTS = 5


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Stack]:
    with stack(cluster, database_servers, worker_state) as made:
        for package in ("search", "telegram"):
            made.package(package)
        yield made


def has_gap(at_work: Stack, uid: str) -> bool:
    with connect(at_work.database.url) as connection:
        row = connection.execute("SELECT gap FROM tenant_billing_lifecycle WHERE tenant_uid = %s", [uid]).fetchone()
    assert row is not None
    return bool(row[0])


def test_a_whole_life_while_the_operator_was_away_ends_at_its_deletion(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("mourned", suspend=True))
    at_work.await_phase("mourned", "Suspended")
    at_work.operator.stop()
    at_work.delete("mourned")
    leaving = at_work.live("mourned")
    assert leaving is not None, "the finalizer keeps it"
    at_work.operator.start()
    *_, deleted = at_work.await_kinds(uid, "created", "suspended", "deleted")
    assert second_of(deleted.occurred_at) == leaving["metadata"]["deletionTimestamp"]
    at_work.await_gone("mourned")


def test_without_a_database_kubernetes_goes_on_and_every_change_is_recorded_afterwards(at_work: Stack) -> None:
    at_work.tenant("doomed", suspend=True)
    doomed = at_work.await_phase("doomed", "Suspended")
    with outage(at_work.server, at_work.database):
        made = at_work.tenant("meanwhile", packages=["search"], suspend=True)
        at_work.await_phase("meanwhile", "Suspended")
        writes = [at_work.change("meanwhile", packages=packages) for packages in ([], ["telegram"], [])]
        at_work.delete("doomed")
        awaited(lambda: at_work.child("doomed", "Namespace", "tenant-doomed"), lambda child: child is None)
        awaited(lambda: at_work.operator.metric("pieced_ledger_database_up"), lambda up: up == 0)
        waiting = at_work.live("doomed")
        assert waiting is not None, "only the end of a deletion waits for the database"
        assert at_work.operator.page("healthz")[0] == 200
        assert at_work.operator.page("readyz")[0] == 200
    events = at_work.await_kinds(
        uid_of(made),
        *("created", "suspended", "enabled search", "disabled search", "enabled telegram", "disabled telegram"),
    )
    assert [second_of(event.occurred_at) for event in events[3:]] == [written_by("test", write) for write in writes]
    assert {event.quality for event in events} == {"exact"}
    at_work.await_gone("doomed")
    *_, deleted = at_work.await_kinds(uid_of(doomed), "created", "suspended", "deleted")
    assert second_of(deleted.occurred_at) == waiting["metadata"]["deletionTimestamp"]


def unrecorded(at_work: Stack, name: str) -> list[Any]:
    """What a tenant's status keeps for the ledger."""
    tenant = at_work.live(name)
    assert tenant is not None
    kept: list[Any] = tenant.get("status", {}).get("unrecorded", [])
    return kept


def test_what_was_seen_without_a_database_outlives_the_operator(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("kept", suspend=True))
    at_work.await_phase("kept", "Suspended")
    at_work.await_kinds(uid, "created", "suspended")
    with outage(at_work.server, at_work.database):
        writes = [at_work.change("kept", packages=packages) for packages in (["search"], [], ["telegram"])]
        awaited(lambda: len(unrecorded(at_work, "kept")), lambda count: count == 3)
        at_work.operator.kill()
        at_work.operator.start()
        writes.append(at_work.change("kept", packages=[]))
        awaited(lambda: len(unrecorded(at_work, "kept")), lambda count: count == 4)
    events = at_work.await_kinds(
        uid,
        *("created", "suspended", "enabled search", "disabled search", "enabled telegram", "disabled telegram"),
    )[2:]
    assert [second_of(event.occurred_at) for event in events] == [written_by("test", write) for write in writes]
    assert {event.quality for event in events} == {"exact"}
    assert [event.source for event in events] == ["status", "status", "status", "watch"]
    assert not has_gap(at_work, uid)
    awaited(lambda: unrecorded(at_work, "kept"), lambda kept: kept == [])


def test_an_operator_that_starts_without_its_database_waits_for_it(at_work: Stack) -> None:
    at_work.operator.stop()
    with outage(at_work.server, at_work.database):
        at_work.operator.start()
        made = at_work.tenant("first", suspend=True)
        at_work.await_phase("first", "Suspended")
    at_work.await_kinds(uid_of(made), "created", "suspended")


def test_a_restart_writes_nothing_to_the_cluster_and_nothing_to_the_ledger(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("stable", packages=["search"]))
    at_work.await_phase("stable", "Ready")
    before = at_work.await_kinds(uid, "created", "enabled search")
    log = at_work.cluster.audit_log
    assert log is not None
    await_idle(at_work.operator)
    at_work.operator.stop()
    start = log.stat().st_size
    at_work.operator.start()
    await_idle(at_work.operator)
    assert writes_of_the_operator(log, start) == []
    assert at_work.events(uid) == before


def test_an_api_server_that_goes_and_comes_back_is_followed(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("followed", suspend=True))
    at_work.await_kinds(uid, "created", "suspended")
    at_work.cluster.component("kill", "kube-apiserver")
    at_work.cluster.component("start", "kube-apiserver")
    resumed = at_work.change("followed", packages=["search"])
    *_, enabled = at_work.await_kinds(uid, "created", "suspended", "enabled search")
    assert second_of(enabled.occurred_at) == written_by("test", resumed)
    at_work.api.delete(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "assistant", "namespace": "tenant-followed"},
        }
    )
    awaited(lambda: at_work.child("followed", "ServiceAccount", "assistant"), lambda child: child is not None)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_the_second_replica_takes_over(at_work: Stack, tmp_path: Path, end: str) -> None:
    at_work.operator.stop()
    seconds = [take_over(at_work, tmp_path, end, 0)]
    while seconds[-1] >= FAILOVER_SECONDS and len(seconds) < ATTEMPTS:  # the machine may have had other things to do
        seconds.append(take_over(at_work, tmp_path, end, len(seconds)))
    assert seconds[-1] < FAILOVER_SECONDS, seconds
    at_work.operator.start()


def take_over(at_work: Stack, folder: Path, end: str, attempt: int) -> float:
    """How long after the end of the first of two replicas the second one has listed everything."""
    first = Operator(at_work.cluster, at_work.database, folder, pod=f"first-{attempt}")
    second = Operator(at_work.cluster, at_work.database, folder, pod=f"second-{attempt}")
    first.start()
    second.launch()
    try:
        awaited(lambda: second.page("readyz")[0], lambda status: status == 200)
        assert second.metric("pieced_leader") == 0
        getattr(first, end)()
        ended_at = time.monotonic()
        second.await_leading()
        seconds = time.monotonic() - ended_at
        uid = uid_of(at_work.tenant(f"led-by-second-{end}-{attempt}", suspend=True))
        at_work.await_kinds(uid, "created", "suspended")
    finally:
        second.stop()
    return seconds


def test_what_changes_while_the_operator_starts_is_recorded_from_its_first_list_on(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("restless", suspend=True))
    at_work.await_kinds(uid, "created", "suspended")
    at_work.operator.stop()
    at_work.operator.launch()
    packages = itertools.cycle((["search"], []))

    def change() -> int:
        """One more change; its generation."""
        generation: int = at_work.change("restless", packages=next(packages))["metadata"]["generation"]
        return generation

    awaited(lambda: change() and at_work.operator.metric("pieced_last_sweep_timestamp_seconds"), bool, seconds=180)
    enough = change() + 20
    awaited(lambda: change() and max(generations(at_work, uid), default=0), lambda recorded: recorded > enough)
    final = at_work.change("restless", packages=["telegram"])
    awaited(lambda: at_work.kinds(uid)[-1], lambda kind: kind == "enabled telegram")
    _, *watched = generations(at_work, uid)  # the first is what the list found
    assert watched == list(range(watched[0], final["metadata"]["generation"] + 1))


def generations(at_work: Stack, uid: str) -> list[int]:
    """Which generations of a tenant its recorded switches of packages are of."""
    with connect(at_work.database.url) as connection:
        rows = connection.execute(
            "SELECT DISTINCT generation FROM tenant_skill_events WHERE tenant_uid = %s ORDER BY 1", [uid]
        ).fetchall()
    return [generation for (generation,) in rows]


def test_a_leader_that_was_frozen_and_wakes_up_doubles_nothing(at_work: Stack, tmp_path: Path) -> None:
    at_work.operator.stop()
    first = Operator(at_work.cluster, at_work.database, tmp_path, pod="frozen")
    second = Operator(at_work.cluster, at_work.database, tmp_path, pod="awake")
    first.start()
    second.launch()
    uid = uid_of(at_work.tenant("frozen", suspend=True))
    at_work.await_kinds(uid, "created", "suspended")
    at_work.await_position()
    try:
        for number in range(10):
            at_work.change("frozen", packages=["search"] if number % 2 == 0 else [])
        first.pause()
        second.await_leading()
        at_work.change("frozen", suspend=False)
        expected = ["created", "suspended", *["enabled search", "disabled search"] * 5, "resumed"]
        at_work.await_kinds(uid, *expected)
        first.wake()
        at_work.change("frozen", suspend=True)
        assert first.await_end() == 1, first.end_of_log()
        assert "Another replica has the Lease" in first.end_of_log()
        at_work.await_kinds(uid, *expected, "suspended")
    finally:
        first.kill()
        second.stop()
    at_work.operator.start()


def test_two_operators_that_both_believe_to_lead_write_one_ledger(at_work: Stack, tmp_path: Path) -> None:
    twin = Operator(at_work.cluster, at_work.database, tmp_path)  # of the same pod name: the Lease lets it in
    twin.start()
    try:
        uid = uid_of(at_work.tenant("shared", suspend=True))
        for number in range(20):
            at_work.change("shared", packages=["search"] if number % 2 == 0 else [])
        at_work.await_kinds(uid, "created", "suspended", *(["enabled search", "disabled search"] * 10))
        at_work.await_phase("shared", "Suspended")
        at_work.delete("shared")
        at_work.await_gone("shared")
        assert at_work.kinds(uid)[-1] == "deleted"
        assert len(at_work.events(uid)) == 23
    finally:
        twin.kill()


def await_idle(process: Operator) -> None:
    """Wait until a process has nothing left to do."""
    depths = (
        "pieced_reconcile_queue_depth",
        "pieced_ledger_queue_depth",
        "pieced_children_unread",
        "pieced_costs_waiting",
    )
    awaited(lambda: [process.metric(name) for name in depths], lambda found: set(found) == {0})
