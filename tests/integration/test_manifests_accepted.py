"""The API server accepts every object: its own kinds, ours, and others' by the CRDs that their Go modules carry."""

import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from pieced_local.places import go_environment
from tests.clusters import Cluster, ClusterFailed

PROJECT = Path(__file__).parents[2]

# module, version, checksum (as in a go.sum), folder of the CRDs inside it, the CRDs that our manifests need
FOREIGN_KINDS = [
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        [
            "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        ],
    ),
    (
        "github.com/cloudnative-pg/cloudnative-pg",
        "v1.28.0",
        "h1:vkv0a0ewDSfJOPJrsyUr4uczsxheReAWf/k171V0Dm0=",
        [
            "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
            "config/crd/bases/postgresql.cnpg.io_scheduledbackups.yaml",
        ],
    ),
    (
        "github.com/argoproj/argo-cd/v3",
        "v3.5.7",
        "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
        ["manifests/crds/application-crd.yaml"],
    ),
]


def crds_of(module: str, version: str, checksum: str, files: list[str]) -> str:
    """The CRDs out of the module's archive, as one YAML stream."""
    answer = subprocess.run(
        ["go", "mod", "download", "-json", f"{module}@{version}"],
        env=go_environment(),
        capture_output=True,
        check=False,
    )
    download = orjson.loads(answer.stdout)
    assert "Error" not in download, download["Error"]
    assert download["Sum"] == checksum
    with zipfile.ZipFile(download["Zip"]) as archive:
        return "\n---\n".join(archive.read(f"{module}@{version}/{file}").decode() for file in files)


@pytest.fixture(scope="session")  # tests of a module may come in several turns; to remove kinds takes a while
def foreign_kinds(cluster: Cluster) -> Iterator[None]:
    documents = "\n---\n".join(crds_of(*source) for source in FOREIGN_KINDS)
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=documents)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", "-", stdin=documents)
    cluster.kubectl("create", "namespace", "argocd")
    yield
    cluster.kubectl("delete", "--wait=false", "-f", "-", stdin=documents)
    cluster.kubectl("delete", "--wait=false", "namespace", "argocd")


@pytest.mark.parametrize(
    "folder", ["crds", "manifests/rbac", "manifests/policies", "manifests/base", "manifests/monitoring",
               "manifests/sealing", "manifests/usage", "manifests/invoicing", "manifests/mail",
               "manifests/argocd",
               "manifests/overlays/local", "manifests/overlays/production"],
)  # fmt: skip
def test_the_api_server_accepts(cluster: Cluster, foreign_kinds: None, sealing_rights: None, folder: str) -> None:
    built = list(yaml.safe_load_all(cluster.kubectl("kustomize", str(PROJECT / folder))))
    answer = cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-o", "name",
        "-f", "-", stdin=yaml.safe_dump_all(built),
    )  # fmt: skip
    assert len(answer.split()) == len(built)


def operators_pod(cluster: Cluster) -> dict[str, Any]:
    built = yaml.safe_load_all(cluster.kubectl("kustomize", str(PROJECT / "manifests/base")))
    (deployment,) = [found for found in built if found["kind"] == "Deployment"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator", "namespace": "pieced-system"},
        "spec": deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"},
    }


def test_the_operators_pod_passes_the_restricted_pod_security_standard(cluster: Cluster) -> None:
    pod = operators_pod(cluster)
    cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(pod))


def test_the_namespace_refuses_a_pod_with_more_rights(cluster: Cluster) -> None:
    pod = operators_pod(cluster)
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    with pytest.raises(ClusterFailed, match="violates PodSecurity"):
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(pod))
