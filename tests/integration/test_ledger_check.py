"""`pieced ledger check` where cluster and ledger do not agree: each fault is named, and mended where it can be."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pieced_billing.ledger import discontinuities
from pieced_billing.ledger.checks import latest_check
from pieced_billing.store.connections import connect
from pieced_local import cluster as local_cluster
from tests.apiserver import Json
from tests.commands import run_pieced
from tests.databases import DatabaseServers
from tests.stacks import API_VERSION, Stack, stack, uid_of

NAMES = ("agreeing", "asleep", "stripped", "resumed", "outdated", "edited")


@pytest.fixture(scope="module")
def at_work(database_servers: DatabaseServers, worker_state: Path) -> Iterator[Stack]:
    """A cluster of its own: here every tenant counts, those of other tests too."""
    with local_cluster.running(worker_state / "checked") as cluster:
        cluster.apply_kinds_and_rights()
        with stack(cluster, database_servers, worker_state) as made:
            yield made


def check(at_work: Stack, *arguments: str) -> tuple[int, str]:
    """The exit status of a check by the operator's own rights, and what it printed."""
    env = at_work.database.env() | {"KUBECONFIG": str(at_work.cluster.operator_kubeconfig)}
    done = run_pieced("ledger", "check", *arguments, env=env, check=False)
    return done.returncode, done.stdout


def test_what_does_not_agree_is_named_and_what_the_cluster_tells_is_repaired(at_work: Stack) -> None:
    for package in ("search", "telegram"):
        at_work.package(package)
    packages = {"outdated": ["telegram"], "edited": ["search"]}
    tenants = {name: at_work.tenant(name, suspend=True, packages=packages.get(name, [])) for name in NAMES}
    for name in NAMES:
        at_work.await_phase(name, "Suspended")
        enabled = [f"enabled {package}" for package in packages.get(name, [])]
        at_work.await_kinds(uid_of(tenants[name]), "created", "suspended", *enabled)
    assert check(at_work) == (0, f"Ledger, cluster and what runs agree: {len(NAMES)} tenants.\n")

    at_work.operator.stop()
    born = plant(at_work, tenants)
    status, printed = check(at_work, "--repair", "-o", "json")
    document = json.loads(printed)
    assert status == 1
    assert named(document["repaired"]) == [
        ("recorded_absent", "stripped"),
        ("recorded_otherwise", "resumed"),
        ("running_not_recorded", "stripped"),
    ]
    assert named(document["findings"]) == [
        ("counter", ""),
        ("counter", "edited"),
        ("counter", "edited"),
        ("not_in_catalogue", "outdated"),
        ("running_not_recorded", "orphan"),
        ("suspended_running", "asleep"),
    ]
    assert at_work.kinds(uid_of(tenants["stripped"])) == ["created", "suspended", "deleted"]
    assert at_work.kinds(uid_of(born)) == ["created", "suspended"]
    *_, resumed = at_work.events(uid_of(tenants["resumed"]))
    assert (resumed.kind, resumed.quality) == ("resumed", "bounded")
    assert seams_of(at_work, uid_of(tenants["agreeing"])) == []
    assert latest_counts(at_work) == {
        "counter": 3,
        "not_in_catalogue": 1,
        "running_not_recorded": 1,
        "suspended_running": 1,
    }


def named(findings: list[dict[str, str]]) -> list[tuple[str, str]]:
    assert all(finding["what"] and finding["to_do"] for finding in findings)
    return [(finding["kind"], finding["tenant"]) for finding in findings]


def seams_of(at_work: Stack, uid: str) -> list[str]:
    with connect(at_work.database.url) as connection:
        return [one.seam.reason for one in discontinuities.of_tenant(connection, uid)]


def latest_counts(at_work: Stack) -> dict[str, int]:
    """What the operator's metrics will tell of the check, zeros left out."""
    with connect(at_work.database.url) as connection:
        latest = latest_check(connection, cluster_id(at_work))
    assert latest is not None
    return {kind: count for kind, count in latest.counts.items() if count}


def plant(at_work: Stack, tenants: dict[str, Json]) -> Json:
    """What nobody who keeps to the rules would do; returns the tenant that has the name of one that is gone."""
    strip(at_work, tenants["stripped"])
    tenant = {key: tenants["stripped"][key] for key in ("apiVersion", "kind", "spec")}
    labels = {"pieced.ch/org-id": "310001"}
    born = at_work.api.create(
        tenant | {"metadata": {"name": "stripped", "labels": labels, "finalizers": ["pieced.ch/billing"]}}
    )
    at_work.change("resumed", suspend=False)
    for agent in ("Eve", "Ada"):  # two versions that the operator will tell, and nothing that disagrees
        at_work.change("agreeing", agentName=agent)
    strip(at_work, {"apiVersion": API_VERSION, "kind": "PiecedPackage", "metadata": {"name": "telegram"}})
    asleep = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "assistant", "namespace": "tenant-asleep"},
    }
    at_work.api.patch(asleep, {"spec": {"replicas": 1}}, manager="somebody")
    at_work.cluster.kubectl("create", "namespace", "tenant-orphan")
    at_work.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(orphan()))
    with connect(at_work.database.owner_url) as connection:
        connection.execute("ALTER TABLE tenant_skill_events DISABLE TRIGGER USER")
        connection.execute("DELETE FROM tenant_skill_events WHERE tenant_name = 'edited'")
        connection.execute("ALTER TABLE tenant_skill_events ENABLE TRIGGER USER")
        connection.execute("INSERT INTO invoice_number_counters VALUES ('default', 'INV', 2026, 3)")
    return born


def strip(at_work: Stack, resource: Json) -> None:
    """It goes at once, without anybody's leave."""
    at_work.api.patch(resource, {"metadata": {"finalizers": None}}, manager="somebody")
    at_work.api.delete(resource)


def orphan() -> Json:
    """What is left of a tenant that is no more."""
    labels = {"app": "assistant"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "assistant",
            "namespace": "tenant-orphan",
            "labels": {"pieced.ch/tenant": "orphan", "pieced.ch/tenant-uid": "long-gone"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "assistant", "image": "example/assistant:1"}]},
            },
        },
    }


def cluster_id(at_work: Stack) -> str:
    return at_work.cluster.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
