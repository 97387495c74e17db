"""The optional admission policies: what the operator would only report, the API server refuses at once."""

import json
from collections.abc import Iterator
from pathlib import Path

import kopf
import pytest
import yaml

from pieced_operator import published_catalogue
from pieced_operator.catalogue import Catalogue
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Cluster as ApiClient
from pieced_operator.published_catalogue import PublishedCatalogue
from tests.apiserver import awaited
from tests.clusters import Cluster, ClusterFailed
from tests.event_loops import run

PROJECT = Path(__file__).parents[2]
CATALOGUE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: pieced-catalogue, namespace: pieced-system}
data: {search: Search, telegram: Telegram}
"""


@pytest.fixture(scope="module")
def guarded(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster in which the policies are in force, which takes a moment."""
    cluster.kubectl("apply", "-f", "-", stdin=CATALOGUE)
    cluster.kubectl("apply", "-k", str(PROJECT / "manifests/policies"))
    awaited(lambda: refusal(cluster, "probe", ["nothing-of-that-name"]), bool)
    yield cluster
    cluster.kubectl("delete", "-k", str(PROJECT / "manifests/policies"))
    cluster.kubectl("delete", "-n", "pieced-system", "configmap", "pieced-catalogue")
    awaited(lambda: refusal(cluster, "probe", ["nothing-of-that-name"]), lambda said: not said)


@pytest.fixture
def tenant(guarded: Cluster) -> Iterator[str]:
    guarded.kubectl("create", "-f", "-", stdin=manifest("guarded", ["search"]))
    yield "guarded"
    guarded.kubectl("delete", "pt", "guarded")


def manifest(name: str, packages: list[str]) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "pieced.ch/v1alpha1",
            "kind": "PiecedTenant",
            "metadata": {"name": name, "labels": {"pieced.ch/org-id": "310001"}},
            "spec": {"displayName": name, "packages": packages},
        }
    )


def refusal(cluster: Cluster, name: str, packages: list[str]) -> str:
    """Why the API server would refuse a tenant; nothing when it would not."""
    try:
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=manifest(name, packages))
    except ClusterFailed as refused:
        return str(refused)
    return ""


def patch(cluster: Cluster, tenant: str, change: str) -> None:
    cluster.kubectl("patch", "pt", tenant, "--type=merge", "-p", change)


def test_an_unknown_package_is_refused_by_its_name(guarded: Cluster) -> None:
    assert refusal(guarded, "new", ["search", "telegram"]) == ""
    assert refusal(guarded, "new", []) == ""
    assert "Not in the catalogue: maps, mail. kubectl get piecedpackages" in refusal(
        guarded, "new", ["search", "maps", "mail"]
    )


def test_the_ids_are_published_again_where_somebody_removes_them(
    guarded: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_catalogue, "_BELIEVED_SECONDS", -1.0)
    catalogue = Catalogue()
    for name in ("search", "telegram"):
        catalogue.saw(
            {
                "metadata": {
                    "name": name,
                    "uid": name,
                    "resourceVersion": "1",
                    "creationTimestamp": "2026-03-01T00:00:00Z",
                },
                "spec": {"displayName": name, "image": "example/image:1"},
            }
        )

    async def publish_twice() -> None:
        async with ApiClient(_log_in, ApiClock()) as api:
            published = PublishedCatalogue(api, catalogue)
            await published.publish()
            guarded.kubectl("delete", "-n", "pieced-system", "configmap", "pieced-catalogue")
            await published.publish()

    monkeypatch.setenv("KUBECONFIG", str(guarded.kubeconfig))
    run(publish_twice())
    ids = guarded.kubectl("get", "-n", "pieced-system", "configmap", "pieced-catalogue", "-o", "jsonpath={.data}")
    assert json.loads(ids) == {"search": "search", "telegram": "telegram"}


def test_a_package_that_has_left_the_catalogue_keeps_nobody_from_another_change(guarded: Cluster, tenant: str) -> None:
    config_map = ("-n", "pieced-system", "patch", "configmap", "pieced-catalogue", "--type=merge", "-p")
    guarded.kubectl(*config_map, '{"data":{"search":null}}')
    awaited(lambda: refusal(guarded, "new", ["search"]), bool)
    patch(guarded, tenant, '{"spec":{"packages":["search","telegram"]}}')
    patch(guarded, tenant, '{"spec":{"packages":["telegram"]}}')
    with pytest.raises(ClusterFailed, match="Not in the catalogue: search"):
        patch(guarded, tenant, '{"spec":{"packages":["search","telegram"]}}')
    guarded.kubectl(*config_map, '{"data":{"search":"Search"}}')
    awaited(lambda: refusal(guarded, "new", ["search"]), lambda said: not said)


def test_the_organisation_of_a_tenant_stays(guarded: Cluster, tenant: str) -> None:
    for label in ('"310002"', "null", '""'):
        with pytest.raises(ClusterFailed, match="is 310001 and stays so"):
            patch(guarded, tenant, f'{{"metadata":{{"labels":{{"pieced.ch/org-id":{label}}}}}}}')
    patch(guarded, tenant, '{"metadata":{"labels":{"team":"blue"}}}')


def test_a_label_that_was_changed_before_may_be_set_back_and_nothing_else(guarded: Cluster, tenant: str) -> None:
    billed = '{"status":{"organisation":"310000"}}'
    guarded.kubectl("patch", "pt", tenant, "--subresource=status", "--type=merge", "-p", billed)
    with pytest.raises(ClusterFailed, match="is 310000 and stays so"):
        patch(guarded, tenant, '{"metadata":{"labels":{"pieced.ch/org-id":null}}}')
    patch(guarded, tenant, '{"metadata":{"labels":{"team":"green"}}}')
    patch(guarded, tenant, '{"metadata":{"labels":{"pieced.ch/org-id":"310000"}}}')


def test_a_tenant_without_organisation_may_be_given_one(guarded: Cluster) -> None:
    unlabelled = yaml.safe_load(manifest("late", []))
    del unlabelled["metadata"]["labels"]
    guarded.kubectl("create", "-f", "-", stdin=yaml.safe_dump(unlabelled))
    try:
        patch(guarded, "late", '{"metadata":{"labels":{"pieced.ch/org-id":"310009"}}}')
        with pytest.raises(ClusterFailed, match="is 310009 and stays so"):
            patch(guarded, "late", '{"metadata":{"labels":{"pieced.ch/org-id":"310001"}}}')
    finally:
        guarded.kubectl("delete", "pt", "late")


def _log_in() -> kopf.ConnectionInfo:
    info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings())
    assert info is not None
    return info
