"""A tenant's life on the real API server: what runs, what the status says, and what the ledger knows."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.apiserver import awaited
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.stacks import Stack, second_of, stack, uid_of, written_by

TO_THE_SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Stack]:
    with stack(cluster, database_servers, worker_state) as made:
        for package in ("search", "telegram"):
            made.package(package)
        yield made


def test_a_tenant_becomes_ready_and_its_creation_is_in_the_ledger(at_work: Stack) -> None:
    made = at_work.tenant("fresh", packages=["search"])
    tenant = at_work.await_phase("fresh", "Ready")
    assert tenant["metadata"]["finalizers"] == ["pieced.ch/billing"]
    assert tenant["status"]["tenantNamespace"] == "tenant-fresh"
    # A tenant may be seen before the package that was made just before it, and be ready without it.
    awaited(lambda: at_work.child("fresh", "Deployment", "package-search", "apps/v1"), bool)
    created, enabled = at_work.await_kinds(uid_of(made), "created", "enabled search")
    assert second_of(created.occurred_at) == made["metadata"]["creationTimestamp"]
    assert enabled.occurred_at - created.occurred_at == timedelta(microseconds=1)
    assert (created.quality, created.source, created.org) == ("exact", "watch", "310001")


def test_every_switch_is_an_event_at_the_time_of_its_write(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("switched", suspend=True))
    at_work.await_kinds(uid, "created", "suspended")
    writes = [
        at_work.change("switched", packages=["search"]),
        at_work.change("switched", packages=["telegram"]),
        at_work.change("switched", suspend=False),
        at_work.change("switched", packages=[], suspend=True),
    ]
    events = at_work.await_kinds(
        uid,
        *("created", "suspended", "enabled search", "disabled search", "enabled telegram", "resumed"),
        *("suspended", "disabled telegram"),
    )
    times = [written_by("test", write) for write in writes]
    assert [second_of(event.occurred_at) for event in events[2:]] == [
        *(times[0], times[1], times[1], times[2]),
        *(times[3], times[3]),
    ]
    assert {event.quality for event in events} == {"exact"}
    assert sorted(event.occurred_at for event in events) == [event.occurred_at for event in events]
    assert len({event.occurred_at for event in events}) == len(events)


def test_fifty_toggles_in_a_row_are_fifty_events_in_order(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("toggled", suspend=True))
    for number in range(50):
        at_work.change("toggled", packages=["search"] if number % 2 == 0 else [])
    events = at_work.await_kinds(uid, "created", "suspended", *(["enabled search", "disabled search"] * 25))
    assert {event.quality for event in events} == {"exact"}


def test_suspending_stops_what_runs_and_keeps_the_data_and_resuming_brings_it_back(at_work: Stack) -> None:
    at_work.tenant("paused", packages=["search"])
    at_work.await_phase("paused", "Ready")
    volume = at_work.child("paused", "PersistentVolumeClaim", "workspace")
    suspended = at_work.change("paused", suspend=True)
    tenant = at_work.await_phase("paused", "Suspended")
    assert tenant["status"]["suspendedAt"] == written_by("test", suspended)
    for name in ("assistant", "package-search"):
        deployment = at_work.child("paused", "Deployment", name, "apps/v1")
        assert deployment is not None
        assert deployment["spec"]["replicas"] == 0
    kept = at_work.child("paused", "PersistentVolumeClaim", "workspace")
    assert volume is not None
    assert kept is not None
    assert uid_of(kept) == uid_of(volume)
    at_work.change("paused", suspend=False)
    tenant = at_work.await_phase("paused", "Ready")
    assert "suspendedAt" not in tenant["status"]


def test_deletion_ends_the_tenant_at_its_timestamp_and_leaves_nothing(at_work: Stack) -> None:
    made = at_work.tenant("ended", suspend=True)
    at_work.await_phase("ended", "Suspended")
    at_work.delete("ended")
    ended = at_work.live("ended")
    at_work.await_gone("ended")
    assert at_work.child("ended", "Namespace", "tenant-ended") is None
    *_, deleted = at_work.await_kinds(uid_of(made), "created", "suspended", "deleted")
    if ended is not None:
        assert second_of(deleted.occurred_at) == ended["metadata"]["deletionTimestamp"]


def test_a_name_can_be_used_again_at_once(at_work: Stack) -> None:
    first = at_work.tenant("again", suspend=True)
    at_work.await_phase("again", "Suspended")
    at_work.delete("again")
    at_work.await_gone("again")
    second = at_work.tenant("again", org="310002", suspend=True)
    *_, deleted = at_work.await_kinds(uid_of(first), "created", "suspended", "deleted")
    created, _ = at_work.await_kinds(uid_of(second), "created", "suspended")
    assert deleted.occurred_at <= created.occurred_at
    assert (deleted.org, created.org) == ("310001", "310002")
    at_work.await_phase("again", "Suspended")


@pytest.mark.parametrize(
    ("kind", "name", "api_version", "patch"),
    [
        ("ConfigMap", "assistant-settings", "v1", {"data": {"channel-users.json": "changed"}}),
        ("NetworkPolicy", "default-deny", "networking.k8s.io/v1", {"spec": {"egress": [{}]}}),
        ("ServiceAccount", "assistant", "v1", {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}),
    ],
)
def test_a_child_that_somebody_changes_or_deletes_is_restored(
    at_work: Stack, kind: str, name: str, api_version: str, patch: dict[str, object]
) -> None:
    if at_work.live("whole") is None:
        at_work.tenant("whole", suspend=True)
    at_work.await_phase("whole", "Suspended")
    before = at_work.child("whole", kind, name, api_version)
    assert before is not None
    at_work.api.patch(before, patch, manager="somebody")
    restored = awaited(
        lambda: at_work.child("whole", kind, name, api_version),
        lambda child: child is not None and _content(child) == _content(before),
    )
    assert restored is not None
    assert uid_of(restored) == uid_of(before)
    at_work.api.delete(before)
    awaited(
        lambda: at_work.child("whole", kind, name, api_version),
        lambda child: child is not None and uid_of(child) != uid_of(before) and _content(child) == _content(before),
    )


def test_a_package_that_is_no_longer_wanted_takes_its_children_along(at_work: Stack) -> None:
    at_work.tenant("pruned", packages=["search", "telegram"], suspend=True)
    at_work.await_phase("pruned", "Suspended")
    at_work.change("pruned", packages=["search"])
    at_work.await_phase("pruned", "Suspended")
    awaited(lambda: at_work.child("pruned", "Deployment", "package-telegram", "apps/v1"), lambda child: child is None)
    assert at_work.child("pruned", "Deployment", "package-search", "apps/v1") is not None


def test_a_package_is_recorded_and_run_from_when_the_catalogue_has_it(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("early", packages=["late"], suspend=True))
    at_work.await_phase("early", "Suspended")
    condition = at_work.condition("early", "PackagesAvailable")
    assert condition is not None
    assert condition["status"] == "False"
    assert "late" in condition["message"]
    at_work.await_kinds(uid, "created", "suspended")
    catalogued = at_work.package("late")
    *_, enabled = at_work.await_kinds(uid, "created", "suspended", "enabled late")
    assert second_of(enabled.occurred_at) == catalogued["metadata"]["creationTimestamp"]
    awaited(
        lambda: at_work.condition("early", "PackagesAvailable"),
        lambda found: found is not None and found["status"] == "True",
    )


def test_a_package_in_use_cannot_be_removed(at_work: Stack) -> None:
    package = at_work.package("kept")
    uid = uid_of(at_work.tenant("keeper", suspend=True))
    at_work.await_kinds(uid, "created", "suspended")
    at_work.change("keeper", packages=["kept"])
    at_work.await_kinds(uid, "created", "suspended", "enabled kept")
    awaited(lambda: at_work.api.get(package), lambda found: bool(found and found["metadata"].get("finalizers")))
    at_work.api.delete(package)
    at_work.change("keeper", agentName="Eve")
    at_work.await_phase("keeper", "Suspended")
    assert at_work.api.get(package) is not None
    assert at_work.kinds(uid) == ["created", "suspended", "enabled kept"]
    at_work.change("keeper", packages=[])
    at_work.await_kinds(uid, "created", "suspended", "enabled kept", "disabled kept")
    awaited(lambda: at_work.api.get(package), lambda found: found is None)


def test_the_ids_of_the_catalogue_are_published_for_the_admission_policy(at_work: Stack) -> None:
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "pieced-catalogue", "namespace": "pieced-system"},
    }

    def published() -> dict[str, str]:
        found = at_work.api.get(config_map)
        ids: dict[str, str] = {} if found is None else found.get("data", {})
        return ids

    made = at_work.package("published")
    awaited(published, lambda ids: ids.keys() >= {"search", "telegram", "published"})
    assert published()["published"] == made["spec"]["displayName"]
    at_work.api.delete(made)
    awaited(published, lambda ids: "published" not in ids and "search" in ids)


def test_without_an_organisation_nothing_is_made_and_nothing_is_billed(at_work: Stack) -> None:
    uid = uid_of(at_work.tenant("orphan", org=None, suspend=True))
    tenant = at_work.await_phase("orphan", "Stalled")
    condition = at_work.condition("orphan", "Stalled")
    assert condition is not None
    assert condition["reason"] == "OrganisationMissing"
    assert "finalizers" not in tenant["metadata"]
    assert at_work.child("orphan", "Namespace", "tenant-orphan") is None
    assert at_work.events(uid) == []
    labelled = at_work.label("orphan", "310003")
    at_work.await_phase("orphan", "Suspended")
    created, _ = at_work.await_kinds(uid, "created", "suspended")
    assert second_of(created.occurred_at) == written_by("labeller", labelled)
    assert created.org == "310003"


@pytest.mark.parametrize("org", ["310009", None])
def test_the_first_organisation_stays_the_billed_one(at_work: Stack, org: str | None) -> None:
    name = f"moved-{org or 'away'}"
    uid = uid_of(at_work.tenant(name, suspend=True))
    at_work.await_phase(name, "Suspended")
    at_work.label(name, org)
    condition = awaited(lambda: at_work.condition(name, "OrganisationChanged"), lambda found: found is not None)
    assert condition is not None
    assert "310001" in condition["message"]
    at_work.change(name, suspend=False)
    events = at_work.await_kinds(uid, "created", "suspended", "resumed")
    assert {event.org for event in events} == {"310001"}
    assert at_work.child(name, "Deployment", "assistant", "apps/v1") is not None


def test_a_namespace_of_somebody_else_is_never_touched(at_work: Stack) -> None:
    foreign = at_work.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant-taken"}})
    uid = uid_of(at_work.tenant("taken", suspend=True))
    tenant = at_work.await_phase("taken", "Stalled")
    condition = at_work.condition("taken", "Stalled")
    assert condition is not None
    assert condition["reason"] == "NamespaceConflict"
    assert "finalizers" not in tenant["metadata"]
    at_work.change("taken", packages=["search"])
    at_work.await_phase("taken", "Stalled")
    assert at_work.events(uid) == []
    left = at_work.api.get(foreign)
    assert left is not None
    assert left["metadata"]["resourceVersion"] == foreign["metadata"]["resourceVersion"]
    at_work.delete("taken")
    at_work.await_gone("taken")
    assert at_work.events(uid) == []


def test_a_tenant_suspended_for_too_long_is_deleted_unless_something_holds_it(at_work: Stack) -> None:
    names = ("forgotten", "asked", "tracked")
    uids = {name: uid_of(at_work.tenant(name, suspend=True)) for name in names}
    for name in names:
        at_work.await_phase(name, "Suspended")
    at_work.cluster.kubectl("annotate", "pt", "asked", "pieced.ch/resume-requested-at=2026-11-01T00:00:00Z")
    at_work.cluster.kubectl(
        "annotate", "pt", "tracked", "argocd.argoproj.io/tracking-id=x:pieced.ch/PiecedTenant:/tracked"
    )
    long_ago = '{"status":{"suspendedAt":"2026-08-01T00:00:00Z"}}'
    for name in names:
        at_work.cluster.kubectl("patch", "pt", name, "--subresource=status", "--type=merge", "-p", long_ago)
    at_work.await_gone("forgotten")
    at_work.await_kinds(uids["forgotten"], "created", "suspended", "deleted")
    for name in ("asked", "tracked"):
        condition = at_work.condition(name, "RetentionPending")
        assert condition is not None
        assert "2026-09-30" in condition["message"]
        assert at_work.kinds(uids[name]) == ["created", "suspended"]


def test_transitions_are_kubernetes_events(at_work: Stack) -> None:
    tenant = at_work.tenant("announced", suspend=True)
    at_work.await_phase("announced", "Suspended")
    at_work.change("announced", packages=["unheard-of"])

    def reasons() -> set[str]:
        found = at_work.api.list("events.k8s.io/v1", "Event", "default")
        return {event["reason"] for event in found if event["regarding"].get("uid") == uid_of(tenant)}

    awaited(reasons, lambda found: {"Suspended", "UnknownPackages"} <= found)


def test_the_log_is_json_and_holds_no_secret(at_work: Stack) -> None:
    secrets = [url.split(":")[2].split("@")[0] for url in (at_work.database.url, at_work.database.owner_url)]
    log = at_work.operator.log.read_text()
    assert [secret for secret in secrets if secret in log] == []
    assert {"recorded", "lease acquired"} <= {json.loads(line)["event"] for line in log.splitlines()}


def test_its_pages_say_that_it_lives_and_what_it_does(at_work: Stack) -> None:
    assert at_work.operator.page("healthz") == (200, "ok")
    assert at_work.operator.page("readyz") == (200, "ok")
    assert at_work.operator.metric("pieced_leader") == 1
    assert at_work.operator.metric("pieced_ledger_database_up") == 1
    assert at_work.operator.metric("pieced_tenants") > 0


def _content(child: dict[str, object]) -> dict[str, object]:
    """What somebody may change of a child, without what the API server counts."""
    metadata = child["metadata"]
    assert isinstance(metadata, dict)
    kept = {key: metadata.get(key) for key in ("labels", "annotations", "ownerReferences")}
    return {key: value for key, value in child.items() if key not in ("metadata", "status")} | kept
