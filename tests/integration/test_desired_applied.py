"""The children of tenants on the real API server: admitted, running, compared without false differences, collected."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from kubernetes.dynamic.exceptions import ForbiddenError, UnprocessibleEntityError

from pieced_operator.desired.children import desired_children
from pieced_operator.desired.drift import differs
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.settings import Settings
from pieced_operator.names import FIELD_MANAGER, namespace_of
from pieced_operator.quantity import canonical
from pieced_operator.readiness import Readiness, readiness
from pieced_operator.tenant import Tenant, decode_tenant
from tests.apiserver import ApiServer, Json, api_server, awaited
from tests.clusters import Cluster
from tests.property.tenants import quantities
from tests.tenants import CATALOGUE, RICH_SPEC

# Every kind of edit that somebody may make to a child: by kind, name and patch.
FOREIGN_EDITS: list[tuple[str, str, Json]] = [
    ("Namespace", "tenant-rich", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}),
    ("Namespace", "tenant-rich", {"metadata": {"labels": {"pieced.ch/tenant-uid": None}}}),
    ("ServiceAccount", "assistant", {"automountServiceAccountToken": True}),
    ("LimitRange", "tenant", {"spec": {"limits": [{"type": "Container", "default": {"cpu": "8", "memory": "8Gi"}}]}}),
    ("NetworkPolicy", "default-deny", {"spec": {"egress": [{}]}}),
    ("NetworkPolicy", "default-deny", {"spec": {"policyTypes": ["Ingress"]}}),
    ("NetworkPolicy", "default-deny", {"spec": {"podSelector": {"matchLabels": {"x": "y"}}}}),
    ("NetworkPolicy", "package-searxng-local-search", {"spec": {"podSelector": {"matchLabels": {"x": "y"}}}}),
    ("NetworkPolicy", "package-searxng-local-search", {"spec": {"egress": [{"ports": [{"port": 25}]}]}}),
    ("ConfigMap", "workspace-files", {"data": {"SOUL.md": "changed"}}),
    ("ConfigMap", "assistant-settings", {"data": None}),
    ("PersistentVolumeClaim", "workspace", {"metadata": {"labels": {"pieced.ch/tenant": "other"}}}),
    ("ResourceQuota", "tenant", {"spec": {"hard": {"pods": "500"}}}),
    ("ResourceQuota", "tenant", {"spec": {"hard": {"limits.cpu": None}}}),
    ("Service", "assistant", {"spec": {"selector": {"app.kubernetes.io/component": "package"}}}),
    ("Service", "assistant", {"spec": {"selector": {"x": "y"}}}),
    ("Service", "package-threema", {"spec": {"ports": [{"port": 8443, "targetPort": 1}]}}),
    ("Service", "assistant", {"metadata": {"ownerReferences": None}}),
    ("Deployment", "assistant", {"spec": {"replicas": 3}}),
    ("Deployment", "assistant", {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
    (
        "Deployment",
        "assistant",
        {"spec": {"template": {"metadata": {"annotations": {"pieced.ch/config-checksum": "x"}}}}},
    ),
    ("Deployment", "package-threema", {"spec": {"template": {"spec": {"serviceAccountName": "default"}}}}),
    ("Deployment", "package-threema", {"metadata": {"annotations": {"pieced.ch/manifest-checksum": None}}}),
]
CONTAINER_EDITS: list[Json] = [
    {"image": "somebody/else:1"},
    {"command": ["sleep"]},
    {"args": None},
    {"env": [{"name": "LIMITER", "value": "true"}]},
    {"env": [{"name": "EMPTY", "value": "filled"}]},
    {"env": [{"name": "LIMITER", "$patch": "delete"}]},
    {
        "ports": [{"containerPort": 8080, "protocol": "TCP", "name": "web"}],
        "readinessProbe": {"tcpSocket": {"port": "web"}},
    },
    {"resources": {"limits": {"cpu": "4"}}},
    {"resources": {"requests": None}},
    {"securityContext": {"readOnlyRootFilesystem": False}},
    {"securityContext": {"capabilities": {"drop": None}}},
    {"volumeMounts": [{"mountPath": "/tmp", "$patch": "delete"}]},
    {"readinessProbe": None},
]


def in_container(edit: Json) -> tuple[str, str, Json]:
    containers = [{"name": "package", **edit}]
    return "Deployment", "package-searxng-local-search", {"spec": {"template": {"spec": {"containers": containers}}}}


class Applied:
    """A tenant on the API server, and the children that it should have."""

    def __init__(self, api: ApiServer, name: str, spec: Json) -> None:
        self.api = api
        self.resource: Json = {
            "apiVersion": "pieced.ch/v1alpha1",
            "kind": "PiecedTenant",
            "metadata": {"name": name, "labels": {"pieced.ch/org-id": "310001"}},
            "spec": {"displayName": name, **spec},
        }
        self.children = self.change({})

    def change(self, spec: Json) -> list[Manifest]:
        """Change the tenant's spec and apply all its children."""
        self.resource["spec"].update(spec)
        self.tenant: Tenant = decode_tenant(self.api.apply(self.resource, manager="customer"))
        self.children = desired_children(self.tenant, CATALOGUE, Settings())
        for child in self.children:
            self.api.apply(child, manager=FIELD_MANAGER)
        return self.children

    def child(self, kind: str, name: str) -> Manifest:
        [found] = [each for each in self.children if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        return found

    def live(self, kind: str, name: str) -> Json | None:
        return self.api.get(self.child(kind, name))

    def readiness(self) -> Readiness:
        return readiness(self.children, self.live, {}, datetime.now(UTC))

    def pods(self) -> list[Json]:
        return self.api.list("v1", "Pod", namespace_of(self.tenant.name))


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[ApiServer]:
    with api_server(cluster) as connected:
        yield connected


@pytest.fixture(scope="module")
def rich(api: ApiServer) -> Applied:
    applied = Applied(api, "rich", RICH_SPEC)
    awaited(applied.readiness, lambda found: found.ready)
    return applied


def test_every_pod_is_admitted_under_the_restricted_standard_and_becomes_ready(rich: Applied) -> None:
    deployments = [child["metadata"]["name"] for child in rich.children if child["kind"] == "Deployment"]
    assert len(rich.pods()) == len(deployments) == 4
    assert all(pod["status"]["phase"] == "Running" for pod in rich.pods())


def test_a_pod_that_is_not_restricted_is_not_admitted(rich: Applied) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "intruder", "namespace": "tenant-rich"},
        "spec": {"containers": [{"name": "intruder", "image": "intruder:1"}]},
    }
    assert 'violates PodSecurity "restricted:latest"' in rich.api.refusal(pod)


def test_the_quota_admits_every_pod_twice_and_counts_the_volume(rich: Applied) -> None:
    def used() -> Json:
        quota = rich.live("ResourceQuota", "tenant")
        assert quota is not None
        found: Json = quota["status"]
        return found

    # A count that ran while the pods came may miss some until the quota controller's next round, five minutes later;
    # a pod that goes makes it count again.
    template = rich.child("Deployment", "package-threema")["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "passing", "namespace": "tenant-rich"}}
    rich.api.create({**pod, "spec": template["spec"]})
    rich.api.delete(pod)
    found = awaited(used, lambda status: status.get("used", {}).get("pods") == "4")
    assert found["hard"]["pods"] == "8"
    assert (found["used"]["requests.storage"], found["used"]["persistentvolumeclaims"]) == ("2Gi", "1")


def test_nothing_differs_after_it_was_applied(rich: Applied) -> None:
    different = [child["kind"] for child in rich.children if differs(child, rich.api.get(child) or {})]
    assert different == []


def test_applying_again_writes_nothing(rich: Applied) -> None:
    for child in rich.children:
        before = rich.api.get(child)
        assert before is not None
        after = rich.api.apply(child, manager=FIELD_MANAGER)
        if child["kind"] not in ("Deployment", "ResourceQuota"):  # their controllers write a status at any time
            assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        assert after["metadata"].get("generation") == before["metadata"].get("generation")


@pytest.mark.parametrize(("kind", "name", "patch"), [*FOREIGN_EDITS, *map(in_container, CONTAINER_EDITS)])
def test_an_edit_by_somebody_else_differs_until_it_is_applied_over(
    rich: Applied, kind: str, name: str, patch: Json
) -> None:
    child = rich.child(kind, name)
    edited = rich.api.patch(child, patch, manager="somebody-else")
    assert differs(child, edited)
    assert not differs(child, rich.api.apply(child, manager=FIELD_MANAGER))


def test_what_somebody_else_adds_is_left_alone(rich: Applied) -> None:
    child = rich.child("ConfigMap", "workspace-files")
    patch = {"metadata": {"labels": {"team": "red"}, "annotations": {"note": "seen"}}}
    assert not differs(child, rich.api.patch(child, patch, manager="somebody-else"))


def test_a_field_that_is_no_longer_wanted_is_taken_away(api: ApiServer) -> None:
    applied = Applied(api, "fewer", {"workspaceFiles": {"SOUL.md": "a", "TOOLS.md": "b"}})
    live = applied.live("ConfigMap", "workspace-files")
    applied.resource["spec"]["workspaceFiles"] = {"SOUL.md": "a"}
    fewer = decode_tenant(api.apply(applied.resource, manager="customer"))
    [wanted] = [
        child
        for child in desired_children(fewer, CATALOGUE, Settings())
        if child["metadata"]["name"] == "workspace-files"
    ]
    assert live is not None
    assert differs(wanted, live)
    assert api.apply(wanted, manager=FIELD_MANAGER)["data"] == {"SOUL.md": "a"}
    api.delete(applied.resource)


def test_suspension_resume_growth_no_shrinking_and_deletion(api: ApiServer) -> None:
    applied = Applied(api, "life", {"packages": ["threema"], "storageSize": "1Gi"})
    awaited(applied.readiness, lambda found: found.ready)

    applied.change({"suspend": True})
    awaited(applied.readiness, lambda found: found.ready)
    volume = applied.live("PersistentVolumeClaim", "workspace")
    assert awaited(applied.pods, lambda pods: not pods) == []
    assert volume is not None
    assert volume["status"]["phase"] == "Bound"

    applied.change({"suspend": False})
    awaited(applied.readiness, lambda found: found.ready)
    assert len(applied.pods()) == 2

    applied.resource["spec"]["storageSize"] = "3Gi"
    grown = desired_children(decode_tenant(api.apply(applied.resource, manager="customer")), CATALOGUE, Settings())
    refused = [child["kind"] for child in grown if not accepted(api, child)]
    assert refused in ([], ["PersistentVolumeClaim"])  # until the quota that was applied after it has been noticed
    [larger] = [child for child in grown if child["kind"] == "PersistentVolumeClaim"]
    awaited(lambda: accepted(api, larger), bool)
    with pytest.raises(UnprocessibleEntityError, match="field can not be less than"):
        api.apply(applied.child("PersistentVolumeClaim", "workspace"), manager=FIELD_MANAGER)

    api.delete(applied.resource)
    awaited(lambda: api.get(applied.children[0]), lambda namespace: namespace is None)


def accepted(api: ApiServer, child: Manifest) -> bool:
    """Whether the API server takes a child; only a quota may stand in its way."""
    try:
        api.apply(child, manager=FIELD_MANAGER)
    except ForbiddenError:
        return False
    return True


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quantities)
def test_a_quantity_keeps_its_canonical_spelling_and_means_the_same(api: ApiServer, text: str) -> None:
    quota: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "spelling", "namespace": "default"},
        "spec": {"hard": {"requests.storage": canonical(text), "limits.memory": text}},
    }
    stored = api.create(quota, dry_run=True)["spec"]["hard"]
    assert stored["requests.storage"] == canonical(text)
    assert canonical(stored["limits.memory"]) == canonical(text)
