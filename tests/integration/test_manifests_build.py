"""Every kustomization builds with plain `kubectl kustomize`, and its objects fit together."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clusters import Cluster

PROJECT = Path(__file__).parents[2]
KUSTOMIZATIONS = sorted(
    str(path.parent.relative_to(PROJECT))
    for root in ("manifests", "crds")
    for path in (PROJECT / root).rglob("kustomization.yaml")
)
Objects = list[dict[str, Any]]
Build = Callable[[str], Objects]


@pytest.fixture
def build(cluster: Cluster) -> Build:
    def objects_of(folder: str) -> Objects:
        return list(yaml.safe_load_all(cluster.kubectl("kustomize", str(PROJECT / folder))))

    return objects_of


def of_kind(objects: Objects, kind: str) -> Objects:
    return [found for found in objects if found["kind"] == kind]


def the(objects: Objects, kind: str, name: str | None = None) -> dict[str, Any]:
    (found,) = [one for one in of_kind(objects, kind) if name in (None, one["metadata"]["name"])]
    return found


def cron_pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """The pods of all CronJobs, by the name of the job."""
    return {
        job["metadata"]["name"]: job["spec"]["jobTemplate"]["spec"]["template"] for job in of_kind(objects, "CronJob")
    }


def pod_labels(objects: Objects) -> dict[str, str]:
    return dict(the(objects, "Deployment")["spec"]["template"]["metadata"]["labels"])


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_builds_without_flags(build: Build, folder: str) -> None:
    assert build(folder)


def test_every_manifest_belongs_to_a_kustomization(build: Build) -> None:
    for folder in KUSTOMIZATIONS:
        kustomization = yaml.safe_load((PROJECT / folder / "kustomization.yaml").read_text())
        named = {*kustomization["resources"], *(patch.get("path") for patch in kustomization.get("patches", ()))}
        files = {path.name for path in (PROJECT / folder).glob("*.yaml")} - {"kustomization.yaml"}
        assert files <= named, folder


def test_images_carry_the_version_of_the_project(build: Build) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    objects = build("manifests/overlays/production")
    pods = [the(objects, kind)["spec"]["template"]["spec"] for kind in ("Deployment", "Job")]
    pods += [pod["spec"] for pod in cron_pods(objects).values()]
    assert {container["image"] for pod in pods for container in pod["containers"]} == {f"pieced:{version}"}


def test_everything_selects_the_operators_pods(build: Build) -> None:
    objects = build("manifests/overlays/production")
    labels = pod_labels(objects)
    selectors = [
        the(objects, "PodDisruptionBudget")["spec"]["selector"],
        the(objects, "NetworkPolicy", "pieced-operator")["spec"]["podSelector"],
        the(objects, "PodMonitor")["spec"]["selector"],
    ]
    for selector in selectors:
        assert selector["matchLabels"].items() <= labels.items()


def test_every_port_that_is_named_is_one_of_the_container(build: Build) -> None:
    objects = build("manifests/overlays/production")
    (container,) = the(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    names = {port["name"] for port in container["ports"]}
    ingress = the(objects, "NetworkPolicy", "pieced-operator")["spec"]["ingress"]
    named = {
        container["livenessProbe"]["httpGet"]["port"],
        container["readinessProbe"]["httpGet"]["port"],
        *(port["port"] for rule in ingress for port in rule["ports"]),
        *(endpoint["port"] for endpoint in the(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]),
    }
    assert named == names


def test_a_sync_applies_kinds_first_and_never_removes_them(build: Build) -> None:
    for definition in of_kind(build("manifests/overlays/production"), "CustomResourceDefinition"):
        annotations = definition["metadata"]["annotations"]
        assert int(annotations["argocd.argoproj.io/sync-wave"]) < 0
        assert set(annotations["argocd.argoproj.io/sync-options"].split(",")) == {"Prune=false", "Delete=false"}


def test_the_operator_in_production_never_holds_the_owners_password(build: Build) -> None:
    objects = build("manifests/overlays/production")
    (container,) = the(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert {entry["name"] for entry in container["env"]} == {"DATABASE_URL", "PGPASSWORD", "POD_NAME"}
    assert "--no-migrate" in container["args"]


def test_the_jobs_in_production_are_the_application_and_never_the_owner(build: Build) -> None:
    pods = cron_pods(build("manifests/overlays/production"))
    commands = {
        "pieced-ledger-check": ["ledger", "check"],
        "pieced-ledger-seal": ["ledger", "seal"],
        "pieced-ledger-verify": ["ledger", "verify"],
        "pieced-invoice-verify": ["verify", "--all"],
    }
    assert set(pods) == set(commands)
    for name, pod in pods.items():
        (container,) = pod["spec"]["containers"]
        assert {entry["name"] for entry in container["env"]} == {"DATABASE_URL", "PGPASSWORD"}
        assert container["args"][:2] == commands[name]


def test_who_verifies_invoices_has_the_database_and_no_way_to_the_api_server(build: Build) -> None:
    objects = build("manifests/base")
    pod = cron_pods(objects)["pieced-invoice-verify"]
    assert "volumes" not in pod["spec"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    policy = the(objects, "NetworkPolicy", "pieced-invoice-verify")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 5432}
    assert "ingress" not in policy


def test_who_verifies_has_the_public_key_only_and_no_way_to_the_api_server(build: Build) -> None:
    objects = build("manifests/sealing")
    sealing, verifying = (cron_pods(objects)[f"pieced-ledger-{name}"] for name in ("seal", "verify"))
    for pod, key in ((sealing, "private.pem"), (verifying, "public.pem")):
        (secret,) = [volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume]
        assert [item["key"] for item in secret["items"]] == [key]
        assert f"/key/{key}" in pod["spec"]["containers"][0]["args"]
    assert verifying["spec"]["automountServiceAccountToken"] is False
    of_both, of_the_seal = of_kind(objects, "NetworkPolicy")
    (names,) = of_both["spec"]["podSelector"]["matchExpressions"]
    labels = [pod["metadata"]["labels"][names["key"]] for pod in (sealing, verifying)]
    assert names["values"] == labels
    assert of_the_seal["spec"]["podSelector"]["matchLabels"] == {names["key"]: labels[0]}


def test_who_collects_usage_has_the_sources_secrets_and_no_way_to_the_api_server(build: Build) -> None:
    objects = build("manifests/usage")
    ((name, pod),) = cron_pods(objects).items()
    (container,) = pod["spec"]["containers"]
    assert (name, container["args"][:2]) == ("pieced-usage-collect", ["usage", "collect"])
    assert container["envFrom"] == [{"secretRef": {"name": "pieced-usage-sources"}}]
    assert {entry["name"] for entry in container["env"]} == {"DATABASE_URL"}
    assert pod["spec"]["automountServiceAccountToken"] is False
    selector = the(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert selector.items() <= pod["metadata"]["labels"].items()


def test_who_seals_and_who_verifies_run_on_the_node_that_has_their_volume(build: Build) -> None:
    """While one runs the other finds the volume mounted there; alone each matches itself, and may run anywhere."""
    pods = [cron_pods(build("manifests/sealing"))[f"pieced-ledger-{name}"] for name in ("seal", "verify")]
    for pod in pods:
        assert "seals" in [volume["name"] for volume in pod["spec"]["volumes"]]
        affinity = pod["spec"]["affinity"]["podAffinity"]
        (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
        (names,) = term["labelSelector"]["matchExpressions"]
        assert (term["topologyKey"], names["operator"]) == ("kubernetes.io/hostname", "In")
        assert names["values"] == [one["metadata"]["labels"][names["key"]] for one in pods]


def test_invoices_are_run_half_an_hour_into_the_1st_local_time_with_the_key_of_the_seal(build: Build) -> None:
    objects = build("manifests/invoicing")
    ((name, pod),) = cron_pods(objects).items()
    (container,) = pod["spec"]["containers"]
    assert container["args"][:4] == ["invoice", "run", "--automatic", "--seal-key"]
    spec = the(objects, "CronJob")["spec"]
    assert (name, spec["schedule"], spec["timeZone"]) == ("pieced-invoice-run", "30 0 1 * *", "Europe/Zurich")
    binding = the(objects, "RoleBinding")
    assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) == ("pieced-seals", "pieced-invoicing")
    assert binding["subjects"][0]["name"] == pod["spec"]["serviceAccountName"]


def test_who_sends_invoices_reads_the_seal_with_the_public_key_and_has_the_mail_server_s_secrets(build: Build) -> None:
    objects = build("manifests/mail")
    pod = cron_pods(objects)["pieced-invoice-send"]
    (container,) = pod["spec"]["containers"]
    assert container["args"][:5] == ["invoice", "send", "--pending", "--seal-key", "/key/public.pem"]
    assert container["envFrom"] == [{"secretRef": {"name": "pieced-smtp"}}]
    (secret,) = [volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume]
    assert [item["key"] for item in secret["items"]] == ["public.pem"]
    (names,) = the(objects, "NetworkPolicy")["spec"]["podSelector"]["matchExpressions"]
    assert set(names["values"]) == {pod["metadata"]["labels"][names["key"]] for pod in cron_pods(objects).values()}


def test_who_announces_deletions_may_list_tenants_and_nothing_else(build: Build) -> None:
    objects = build("manifests/mail")
    pod = cron_pods(objects)["pieced-tenant-notify"]
    assert pod["spec"]["containers"][0]["args"][:2] == ["tenant", "notify"]
    assert the(objects, "ClusterRole")["rules"] == [
        {"apiGroups": ["pieced.ch"], "resources": ["piecedtenants"], "verbs": ["list"]}
    ]
    subject = the(objects, "ClusterRoleBinding")["subjects"][0]
    assert subject["name"] == pod["spec"]["serviceAccountName"]


def rules(objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("ClusterRole", "Role"):
        for role in of_kind(objects, kind):
            for rule in role["rules"]:
                yield role["metadata"]["name"], rule


@pytest.mark.parametrize(("folder", "roles"), [("manifests/overlays/local", 5), ("manifests/overlays/production", 7)])
def test_no_role_has_a_wildcard_or_a_way_to_more_rights(build: Build, folder: str, roles: int) -> None:
    found = list(rules(build(folder)))
    assert len({name for name, _ in found}) == roles
    for name, rule in found:
        for part in ("apiGroups", "resources", "verbs"):
            assert not any("*" in entry for entry in rule[part]), (name, rule)
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), (name, rule)
        assert not {"secrets", "roles", "clusterroles", "pods/exec", "serviceaccounts/token"} & set(rule["resources"])
