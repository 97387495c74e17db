"""What the API server lets the operator, a viewer and an editor do."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.apiserver import awaited
from tests.clusters import Cluster, ClusterFailed


def may(cluster: Cluster, user: str, verb: str, resource: str, namespace: str = "default") -> bool:
    """Whether RBAC lets the user do it. The verdict is the API server's own, not ours."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": {"verb": verb, "namespace": namespace} | split(resource)},
    }
    answer = cluster.kubectl("create", "-o", "yaml", "-f", "-", stdin=yaml.safe_dump(review))
    return bool(yaml.safe_load(answer)["status"]["allowed"])


def split(resource: str) -> dict[str, str]:
    """`deployments.apps`, `piecedtenants.pieced.ch/status` or `configmaps//one` as the attributes of a review."""
    kind, subresource, name, *_ = [*resource.split("/"), "", ""]
    plural, _, group = kind.partition(".")
    return {"group": group, "resource": plural, "subresource": subresource, "name": name}


@contextmanager
def someone_with(cluster: Cluster, role: str) -> Iterator[str]:
    """A user who has the cluster's own role everywhere, and nothing of ours by name."""
    name = f"someone-who-may-{role}"
    cluster.kubectl("create", "clusterrolebinding", name, f"--clusterrole={role}", f"--user={name}")
    # A controller joins our roles to the cluster's own, and the API server hears of it, soon after they were applied.
    verb = "list" if role == "view" else "patch"
    awaited(lambda: may(cluster, name, verb, "piecedtenants.pieced.ch"), bool)
    yield name
    cluster.kubectl("delete", "clusterrolebinding", name)


@pytest.fixture(scope="module", params=["view", "edit"])
def person(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    with someone_with(cluster, request.param) as name:
        yield name


@pytest.fixture(scope="module")
def editor(cluster: Cluster) -> Iterator[str]:
    with someone_with(cluster, "admin") as name:
        yield name


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("watch", "piecedtenants.pieced.ch"),
        ("patch", "piecedtenants.pieced.ch/status"),
        ("delete", "piecedtenants.pieced.ch"),
        ("patch", "piecedpackages.pieced.ch"),
        ("create", "namespaces"),
        ("patch", "deployments.apps"),
        ("delete", "persistentvolumeclaims"),
        ("watch", "pods"),
        ("create", "events.events.k8s.io"),
    ],
)
def test_the_operator_may(cluster: Cluster, verb: str, resource: str) -> None:
    assert may(cluster, "pieced-operator", verb, resource)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "secrets"),
        ("list", "secrets"),
        ("create", "pods/exec"),
        ("delete", "pods"),
        ("create", "serviceaccounts/token"),
        ("create", "clusterroles.rbac.authorization.k8s.io"),
        ("escalate", "clusterroles.rbac.authorization.k8s.io"),
        ("bind", "clusterroles.rbac.authorization.k8s.io"),
        ("impersonate", "users"),
        ("create", "piecedtenants.pieced.ch"),
        ("delete", "piecedpackages.pieced.ch"),
        ("patch", "customresourcedefinitions.apiextensions.k8s.io"),
        ("get", "leases.coordination.k8s.io"),
    ],
)
def test_the_operator_may_not(cluster: Cluster, verb: str, resource: str) -> None:
    assert not may(cluster, "pieced-operator", verb, resource)


def test_a_check_of_the_ledger_may_read_what_it_compares_and_change_nothing(cluster: Cluster) -> None:
    binding = ("clusterrolebinding", "checking")
    cluster.kubectl("create", *binding, "--clusterrole=pieced-ledger-check", "--user=checking")
    awaited(lambda: may(cluster, "checking", "list", "piecedtenants.pieced.ch"), bool)
    for resource in ("piecedpackages.pieced.ch", "deployments.apps", "pods"):
        assert may(cluster, "checking", "list", resource)
    for verb in ("create", "patch", "delete"):
        for resource in ("piecedtenants.pieced.ch", "deployments.apps", "pods", "namespaces", "configmaps"):
            assert not may(cluster, "checking", verb, resource)
    assert not may(cluster, "checking", "list", "secrets")
    cluster.kubectl("delete", *binding)


def test_who_seals_may_write_seals_and_read_nothing(cluster: Cluster, sealing_rights: None) -> None:
    """That one ConfigMap is written with these rights is shown where the ledger is sealed."""
    sealing = "system:serviceaccount:pieced-system:pieced-ledger-seal"
    awaited(lambda: may(cluster, sealing, "create", "configmaps", "pieced-seals"), bool)
    for verb in ("get", "list", "patch", "update", "delete"):
        assert not may(cluster, sealing, verb, "configmaps", "pieced-seals")
    for resource in ("configmaps", "secrets", "piecedtenants.pieced.ch"):
        for verb in ("get", "create", "patch"):
            assert not may(cluster, sealing, verb, resource, "pieced-system")


def test_who_runs_invoices_may_raise_the_sealed_numbers_and_not_remove_them(
    cluster: Cluster, sealing_rights: None
) -> None:
    create = ("-n", "pieced-seals", "create", "rolebinding", "invoicing")
    cluster.kubectl(*create, "--role=pieced-invoicing", "--user=invoicing")
    awaited(lambda: may(cluster, "invoicing", "create", "configmaps", "pieced-seals"), bool)
    numbers = "configmaps//pieced-invoice-numbers"
    assert [may(cluster, "invoicing", verb, numbers, "pieced-seals") for verb in ("get", "update")] == [True, True]
    assert not may(cluster, "invoicing", "delete", numbers, "pieced-seals")
    for verb in ("get", "list", "patch", "update", "delete"):
        assert not may(cluster, "invoicing", verb, "configmaps//pieced-ledger-seal", "pieced-seals")
    assert not may(cluster, "invoicing", "get", "secrets", "pieced-system")
    cluster.kubectl("-n", "pieced-seals", "delete", "rolebinding", "invoicing")


def test_the_operator_may_neither_write_nor_remove_seals(cluster: Cluster, sealing_rights: None) -> None:
    operator = "system:serviceaccount:pieced-system:pieced-operator"
    binding = ("clusterrolebinding", "operating")
    cluster.kubectl("create", *binding, "--clusterrole=pieced-operator", f"--user={operator}")
    awaited(lambda: may(cluster, operator, "delete", "configmaps", "pieced-seals"), bool)

    def refusal(*arguments: str) -> str:
        try:
            cluster.kubectl(*arguments, "--dry-run=server", "--as", operator)
        except ClusterFailed as refused:
            return str(refused)
        return ""

    seal = ("create", "configmap", "some-seal", "-n")
    awaited(lambda: refusal(*seal, "pieced-seals"), lambda said: "Seals are not the operator's." in said)
    assert "Seals are not the operator's." in refusal("delete", "namespace", "pieced-seals")
    assert refusal(*seal, "pieced-system") == ""
    cluster.kubectl("delete", *binding)


def test_the_lease_is_the_operators_in_its_own_namespace_only(cluster: Cluster) -> None:
    assert may(cluster, "pieced-operator", "create", "leases.coordination.k8s.io", "pieced-system")
    assert not may(cluster, "pieced-operator", "create", "leases.coordination.k8s.io", "kube-system")


def test_who_may_view_workloads_may_view_tenants(cluster: Cluster, person: str) -> None:
    for resource in ("piecedtenants.pieced.ch", "piecedpackages.pieced.ch"):
        assert may(cluster, person, "list", resource)
        assert may(cluster, person, "patch", resource) == person.endswith("edit")
        assert not may(cluster, person, "patch", f"{resource}/status")


@pytest.fixture
def tenant(cluster: Cluster) -> Iterator[str]:
    """A tenant that carries the billing finalizer; no operator runs that would take it off."""
    name = "held-back"
    resource = {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {"name": name, "finalizers": ["pieced.ch/billing"]},
        "spec": {"displayName": "Held back"},
    }
    cluster.kubectl("create", "-f", "-", stdin=yaml.safe_dump(resource))
    yield name
    cluster.kubectl("patch", "piecedtenant", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    cluster.kubectl("delete", "piecedtenant", name)


def test_an_editor_may_not_take_the_billing_finalizer_off(cluster: Cluster, editor: str, tenant: str) -> None:
    patch = ("patch", "piecedtenant", tenant, "--type=merge", "--as", editor, "-p")
    cluster.kubectl(*patch, '{"metadata": {"labels": {"team": "blue"}}}')
    with pytest.raises(ClusterFailed, match="goes when the end of the tenant is in the ledger"):
        cluster.kubectl(*patch, '{"metadata": {"finalizers": null}}')
