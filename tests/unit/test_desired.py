"""What a tenant should have in the cluster, aspect by aspect; the whole is in the golden files."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pieced_operator.desired.assistant import SEED_SCRIPT, image
from pieced_operator.desired.children import desired_children
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.namespace import Claim, claim
from pieced_operator.desired.packages import unknown_packages
from pieced_operator.desired.settings import Settings
from pieced_operator.names import MANIFEST_CHECKSUM_ANNOTATION
from pieced_operator.tenant import Tenant
from tests.tenants import CATALOGUE, RICH_SPEC, tenant

UID = "6f1c2f4e-6a55-4a5e-9d39-0d1f6d0c7a11"


def children(wanted: Tenant) -> dict[tuple[str, str], Manifest]:
    manifests = desired_children(wanted, CATALOGUE, Settings())
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests}


def template(wanted: Tenant, name: str = "assistant") -> dict[str, Any]:
    found: dict[str, Any] = children(wanted)["Deployment", name]["spec"]["template"]
    return found


def test_a_package_that_the_catalogue_lacks_is_named_and_the_others_run() -> None:
    wanted = tenant(spec={"packages": ["zulip", "threema", "matrix"]})
    assert unknown_packages(wanted, CATALOGUE) == ("matrix", "zulip")
    assert [name for kind, name in children(wanted) if kind == "Deployment"] == ["assistant", "package-threema"]


def test_suspension_stops_every_workload_and_keeps_everything_else() -> None:
    running, suspended = children(tenant(spec=RICH_SPEC)), children(tenant(spec=RICH_SPEC | {"suspend": True}))
    assert {key for key in running if running[key] != suspended[key]} == {
        key for key in running if key[0] == "Deployment"
    }
    assert running.keys() == suspended.keys()
    assert {deployment["spec"]["replicas"] for (kind, _), deployment in suspended.items() if kind == "Deployment"} == {
        0
    }


def test_a_package_that_a_tenant_does_not_want_adds_nothing() -> None:
    assert [name for kind, name in children(tenant()) if "package" in name] == []


@pytest.mark.parametrize(
    ("override", "wanted"),
    [
        (None, "platform/assistant:1"),
        ({}, "platform/assistant:1"),
        ({"tag": "2"}, "platform/assistant:2"),
        ({"repository": "customer/assistant"}, "customer/assistant:1"),
        ({"repository": "customer/assistant", "tag": "2"}, "customer/assistant:2"),
    ],
)
def test_a_tenant_overrides_the_platforms_image_in_part(override: dict[str, str] | None, wanted: str) -> None:
    spec = {"openClawImage": override} if override is not None else {}
    settings = Settings(assistant_repository="platform/assistant", assistant_tag="1")
    assert image(tenant(spec=spec), settings) == wanted


@pytest.mark.parametrize(
    "change",
    [{"workspaceFiles": {"SOUL.md": "new"}}, {"channelUsers": {"threema": ["NEWUSER1"]}}, {"agentName": "Eva"}],
)
def test_the_assistant_starts_anew_when_what_it_reads_at_its_start_changes(change: dict[str, Any]) -> None:
    assert template(tenant(spec=RICH_SPEC)) != template(tenant(spec=RICH_SPEC | change))


@pytest.mark.parametrize("change", [{"displayName": "New"}, {"packages": []}, {"storageSize": "9Gi"}])
def test_the_assistant_runs_on_when_something_else_changes(change: dict[str, Any]) -> None:
    assert template(tenant(spec=RICH_SPEC)) == template(tenant(spec=RICH_SPEC | change))


def test_a_field_that_is_no_longer_wanted_changes_the_checksum() -> None:
    def checksum(spec: dict[str, Any]) -> str:
        files = children(tenant(spec=spec))["ConfigMap", "workspace-files"]
        found: str = files["metadata"]["annotations"][MANIFEST_CHECKSUM_ANNOTATION]
        return found

    fewer = {**RICH_SPEC, "workspaceFiles": {"SOUL.md": RICH_SPEC["workspaceFiles"]["SOUL.md"]}}
    assert checksum(RICH_SPEC) != checksum(fewer)


def test_the_order_in_which_packages_are_named_changes_nothing() -> None:
    assert children(tenant(spec=RICH_SPEC)) == children(
        tenant(spec=RICH_SPEC | {"packages": RICH_SPEC["packages"][::-1]})
    )


@pytest.mark.parametrize(
    ("metadata", "verdict"),
    [
        ({}, Claim.FOREIGN),
        ({"labels": {"pieced.ch/tenant-uid": "another"}}, Claim.FOREIGN),
        ({"labels": {"pieced.ch/tenant-uid": UID}}, Claim.OURS),
        ({"ownerReferences": [{"kind": "PiecedTenant", "uid": UID}]}, Claim.OURS),
        ({"ownerReferences": [{"kind": "PiecedTenant", "uid": "another"}]}, Claim.LEAVING),
        ({"ownerReferences": [{"kind": "Cluster", "uid": UID}]}, Claim.FOREIGN),
        ({"labels": {"pieced.ch/tenant-uid": UID}, "deletionTimestamp": "2026-03-01T00:00:00Z"}, Claim.LEAVING),
        ({"deletionTimestamp": "2026-03-01T00:00:00Z"}, Claim.LEAVING),
    ],
)
def test_whose_a_namespace_is(metadata: dict[str, Any], verdict: Claim) -> None:
    assert claim(tenant(), {"metadata": {"name": "tenant-acme", **metadata}}) == verdict


def test_a_namespace_that_is_not_there_is_nobodys() -> None:
    assert claim(tenant(), None) == Claim.ABSENT


def test_seeding_writes_what_is_absent_and_leaves_the_rest(tmp_path: Path) -> None:
    seed, workspace = tmp_path / "seed", tmp_path / "workspace"
    seed.mkdir()
    workspace.mkdir()
    script = SEED_SCRIPT.replace("/seed/", f"{seed}/").replace("/workspace/", f"{workspace}/")
    (seed / "SOUL.md").write_text("ordered")
    (seed / "TOOLS.md").write_text("ordered")
    (workspace / "SOUL.md").write_text("changed since")
    subprocess.run(["sh", "-c", script], check=True)
    assert {path.name: path.read_text() for path in workspace.iterdir()} == {
        "SOUL.md": "changed since",
        "TOOLS.md": "ordered",
    }


def test_seeding_with_no_files_does_nothing(tmp_path: Path) -> None:
    script = SEED_SCRIPT.replace("/seed/", f"{tmp_path}/").replace("/workspace/", f"{tmp_path}/")
    subprocess.run(["sh", "-c", script], check=True)
    assert list(tmp_path.iterdir()) == []
