"""What a tenant's status says when something of it fails, and what a change of the order leads to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.apiserver import Json, awaited
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.stacks import Stack, stack, uid_of

PACKAGE = {"apiVersion": "pieced.ch/v1alpha1", "kind": "PiecedPackage"}


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Stack]:
    with stack(cluster, database_servers, worker_state) as made:
        yield made


def await_condition(at_work: Stack, tenant: str, kind: str) -> Json:
    found = awaited(lambda: at_work.condition(tenant, kind), lambda found: found is not None)
    assert found is not None
    return found


def await_no_condition(at_work: Stack, tenant: str, kind: str) -> None:
    awaited(lambda: at_work.condition(tenant, kind), lambda found: found is None)


def warnings_about(at_work: Stack, tenant: Json) -> set[tuple[str, str]]:
    events = at_work.api.list("events.k8s.io/v1", "Event", "default")
    mine = [event for event in events if event["regarding"].get("uid") == uid_of(tenant)]
    return {(event["reason"], event["note"]) for event in mine if event["type"] == "Warning"}


def change_package(at_work: Stack, name: str, **spec: object) -> None:
    at_work.api.patch({**PACKAGE, "metadata": {"name": name}}, {"spec": spec}, manager="test")


def test_an_image_that_cannot_be_pulled_is_said_in_the_words_of_kubernetes(at_work: Stack) -> None:
    at_work.package("broken")
    change_package(at_work, "broken", image="fail.invalid/broken:1")
    tenant = at_work.tenant("imageless", packages=["broken"], openClawImage={"repository": "fail.invalid/assistant"})
    package = await_condition(at_work, "imageless", "DeploymentFailing.package-broken")
    assistant = await_condition(at_work, "imageless", "DeploymentFailing.assistant")
    assert (package["status"], package["reason"]) == ("True", "ImagePullBackOff")
    assert package["message"] == 'container package: Back-off pulling image "fail.invalid/broken:1"'
    assert 'pulling image "fail.invalid/assistant:' in assistant["message"]
    awaited(
        lambda: warnings_about(at_work, tenant), lambda found: ("ImagePullBackOff", str(package["message"])) in found
    )
    change_package(at_work, "broken", image="example/broken:2")
    await_no_condition(at_work, "imageless", "DeploymentFailing.package-broken")
    at_work.change("imageless", openClawImage={"repository": "example/assistant", "tag": "2"})
    at_work.await_phase("imageless", "Ready")
    assert at_work.condition("imageless", "DeploymentFailing.assistant") is None
    deployment = at_work.child("imageless", "Deployment", "assistant", "apps/v1")
    assert deployment is not None
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "example/assistant:2"


def test_pods_that_a_quota_forbids_are_said_in_the_words_of_kubernetes(at_work: Stack) -> None:
    at_work.tenant("crowded", suspend=True)
    at_work.await_phase("crowded", "Suspended")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": "tenant-crowded"}}
    at_work.api.create({**quota, "spec": {"hard": {"pods": "0"}}})
    at_work.change("crowded", suspend=False)
    failing = await_condition(at_work, "crowded", "DeploymentFailing.assistant")
    assert failing["reason"] == "FailedCreate"
    assert "exceeded quota: none" in failing["message"]
    at_work.api.delete(quota)
    at_work.change("crowded", suspend=True)
    at_work.await_phase("crowded", "Suspended")
    assert at_work.condition("crowded", "DeploymentFailing.assistant") is None


def test_a_volume_that_does_not_come_is_said_in_the_words_of_kubernetes(at_work: Stack) -> None:
    with no_default_storage(at_work.cluster):
        at_work.tenant("volumeless")
        failing = await_condition(at_work, "volumeless", "PersistentVolumeClaimFailing.workspace")
        assert (failing["reason"], failing["message"]) == (
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
        )
        at_work.change("volumeless", storageSize="8Gi")
        differs = await_condition(at_work, "volumeless", "StorageDiffers")
        assert differs["reason"] == "VolumeNotBound"
    at_work.await_phase("volumeless", "Ready")  # Kubernetes gives a claim without a class the default once there is one
    awaited(lambda: size_of_volume(at_work, "volumeless"), lambda size: size == "8Gi")
    await_no_condition(at_work, "volumeless", "StorageDiffers")
    assert at_work.condition("volumeless", "PersistentVolumeClaimFailing.workspace") is None


def test_a_volume_grows_and_does_not_shrink_and_the_rest_is_applied(at_work: Stack) -> None:
    tenant = at_work.tenant("grown", storageSize="2Gi")
    at_work.await_phase("grown", "Ready")
    at_work.change("grown", storageSize="3Gi")
    awaited(lambda: size_of_volume(at_work, "grown"), lambda size: size == "3Gi")
    at_work.package("added")
    at_work.change("grown", storageSize="1Gi", packages=["added"])
    differs = await_condition(at_work, "grown", "StorageDiffers")
    assert "The volume stays at 3Gi although 1Gi is ordered" in differs["message"]
    at_work.await_phase("grown", "Ready")
    assert at_work.child("grown", "Deployment", "package-added", "apps/v1") is not None
    assert quota(at_work, "grown")["requests.storage"] == "3Gi"
    awaited(lambda: warnings_about(at_work, tenant), lambda found: ("CannotShrink", differs["message"]) in found)
    at_work.change("grown", storageSize="3Gi")
    await_no_condition(at_work, "grown", "StorageDiffers")


def test_quota_and_workload_follow_the_resources_of_a_package(at_work: Stack) -> None:
    at_work.package("sized")
    at_work.tenant("follower", packages=["sized"], suspend=True)
    at_work.await_phase("follower", "Suspended")
    before = quota(at_work, "follower")
    change_package(
        at_work, "sized", resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "3", "memory": "3Gi"}}
    )
    after = awaited(lambda: quota(at_work, "follower"), lambda found: found["limits.cpu"] == "10")
    assert after != before
    awaited(lambda: limits(at_work, "follower", "package-sized"), lambda found: found == {"cpu": "3", "memory": "3Gi"})
    at_work.change("follower", packages=[])
    awaited(lambda: quota(at_work, "follower"), lambda found: found["limits.cpu"] == "4")


@pytest.mark.parametrize(("left", "reason"), [(13.5, "DeletionWithin14Days"), (0.5, "DeletionWithin1Day")])
def test_the_deletion_of_a_suspended_tenant_is_announced(at_work: Stack, left: float, reason: str) -> None:
    name = reason.lower()
    tenant = at_work.tenant(name, suspend=True)
    at_work.await_phase(name, "Suspended")
    since = datetime.now(UTC) - timedelta(days=60) + timedelta(days=left)
    body = json.dumps({"status": {"suspendedAt": since.strftime("%Y-%m-%dT%H:%M:%SZ")}})
    at_work.cluster.kubectl("patch", "pt", name, "--subresource=status", "--type=merge", "-p", body)
    awaited(
        lambda: at_work.condition(name, "RetentionPending"), lambda found: bool(found and found["reason"] == reason)
    )
    awaited(lambda: {told for told, _ in warnings_about(at_work, tenant)}, lambda found: reason in found)
    assert at_work.live(name) is not None


def limits(at_work: Stack, tenant: str, workload: str) -> Json:
    deployment = at_work.child(tenant, "Deployment", workload, "apps/v1")
    assert deployment is not None
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    found: Json = container["resources"]["limits"]
    return found


def quota(at_work: Stack, tenant: str) -> dict[str, str]:
    live = at_work.child(tenant, "ResourceQuota", "tenant")
    assert live is not None
    hard: dict[str, str] = live["spec"]["hard"]
    return hard


def size_of_volume(at_work: Stack, tenant: str) -> str:
    claim = at_work.child(tenant, "PersistentVolumeClaim", "workspace")
    return str(claim and claim["status"].get("capacity", {}).get("storage"))


@contextmanager
def no_default_storage(cluster: Cluster) -> Iterator[None]:
    annotation = "storageclass.kubernetes.io/is-default-class"
    cluster.kubectl("annotate", "storageclass", "standard", "--overwrite", f"{annotation}=false")
    try:
        yield
    finally:
        cluster.kubectl("annotate", "storageclass", "standard", "--overwrite", f"{annotation}=true")
