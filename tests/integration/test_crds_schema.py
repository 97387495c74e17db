"""What the API server accepts and refuses of tenants and packages; a refusal names the field and says what is right."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pieced_operator.package import PackageSpec, decode_package
from pieced_operator.tenant import decode_tenant
from pieced_operator.tenant_spec import TenantSpec
from tests.apiserver import ApiServer, api_server
from tests.clusters import Cluster, ClusterFailed
from tests.property.tenants import package_specs, tenant_specs
from tests.tenants import PACKAGES, RICH_SPEC

DNS_LABEL = "must be a DNS label: lowercase letters, digits and hyphens, a letter or digit at both ends"
ONE_LINE = "must be one line of text without control characters"
QUANTITY = "must be a positive quantity of at most 1Pi, such as 5Gi or 500m"


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[ApiServer]:
    with api_server(cluster) as connected:
        yield connected


def tenant(name: str = "schema", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {"name": name},
        "spec": {"displayName": "Schema", **spec},
    }


def package(name: str = "schema", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedPackage",
        "metadata": {"name": name},
        "spec": {"displayName": "Schema", "image": "pieced/schema:1", **spec},
    }


def without(manifest: dict[str, Any], field: str) -> dict[str, Any]:
    return manifest | {"spec": {key: value for key, value in manifest["spec"].items() if key != field}}


ACCEPTED = {
    "the least": tenant(),
    "everything": tenant(**RICH_SPEC),
    "a name of 56 characters": tenant("a" * 56),
    "64 packages": tenant(packages=[f"package-{n}" for n in range(64)]),
    "an id of 63 characters": tenant(packages=["x" * 63]),
    "an id that begins with a digit": tenant(packages=["1password"]),
    "a name in another script": tenant(displayName="株式会社 «Zünd»", agentName="Gämsi 🐐"),
    "900000 bytes of files": tenant(workspaceFiles={f"{n}.md": "x" * 225_000 for n in range(4)}),
    "an empty file": tenant(workspaceFiles={"SOUL.md": ""}),
    "256 users of a channel": tenant(channelUsers={"threema": [f"USER{n:04}" for n in range(256)]}),
    "an image at a host with a port": tenant(openClawImage={"repository": "images.example:5000/team/assistant"}),
    "1Pi": tenant(storageSize="1Pi"),
    "half a gibibyte": tenant(storageSize="0.5Gi"),
    "a package with the least": package(),
    "a package with everything": package(**PACKAGES[0]["spec"]),
    "requests as high as limits": package(
        resources={"requests": {"cpu": "1000m", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1024Mi"}}
    ),
}


@pytest.mark.parametrize("manifest", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(api: ApiServer, manifest: dict[str, Any]) -> None:
    assert api.refusal(manifest) == ""


REFUSED = [
    (without(tenant(), "displayName"), "spec.displayName", "Required value"),
    (tenant(displayName=""), "spec.displayName", "should be at least 1 chars long"),
    (tenant(displayName="x" * 129), "spec.displayName", "may not be more than 128"),
    (tenant(displayName="two\nlines"), "spec.displayName", f"displayName {ONE_LINE}"),
    (tenant(displayName="bell\x07"), "spec.displayName", f"displayName {ONE_LINE}"),
    (tenant(displayName="next\x85line"), "spec.displayName", f"displayName {ONE_LINE}"),
    (tenant(displayName="   "), "spec.displayName", f"displayName {ONE_LINE}"),
    (tenant("a" * 57), "metadata.name", "may not be more than 56"),
    (tenant("a.b"), "metadata.name", "must be a DNS label without dots: the tenant's namespace is named tenant-NAME"),
    (tenant("Acme"), "metadata.name", "must consist of lower case"),
    (tenant(packages=["a", "b", "a"]), "spec.packages", "packages must not name an id twice"),
    (tenant(packages=[f"p{n}" for n in range(65)]), "spec.packages", "must have at most 64 items"),
    (tenant(packages=["Threema"]), "spec.packages[0]", f"a package id {DNS_LABEL}"),
    (tenant(packages=["a", "threema-"]), "spec.packages[1]", f"a package id {DNS_LABEL}"),
    (tenant(packages=["a.b"]), "spec.packages[0]", f"a package id {DNS_LABEL}"),
    (tenant(packages=["a\n"]), "spec.packages[0]", f"a package id {DNS_LABEL}"),
    (tenant(packages=[""]), "spec.packages[0]", "should be at least 1 chars long"),
    (tenant(packages=["x" * 64]), "spec.packages[0]", "may not be more than 63"),
    (tenant(packages="threema"), "spec.packages", "must be of type array"),
    (tenant(suspend="yes"), "spec.suspend", "must be of type boolean"),
    (tenant(agentId="Ada Lovelace"), "spec.agentId", f"agentId {DNS_LABEL}"),
    (tenant(agentName="\t"), "spec.agentName", f"agentName {ONE_LINE}"),
    (tenant(storageSize="5GB"), "spec.storageSize", f"storageSize {QUANTITY}"),
    (tenant(storageSize="0"), "spec.storageSize", f"storageSize {QUANTITY}"),
    (tenant(storageSize="-5Gi"), "spec.storageSize", f"storageSize {QUANTITY}"),
    (tenant(storageSize="1e999999999"), "spec.storageSize", f"storageSize {QUANTITY}"),
    (tenant(storageSize="1025Ti"), "spec.storageSize", f"storageSize {QUANTITY}"),
    (tenant(storageSize=5), "spec.storageSize", "must be of type string"),
    (tenant(workspaceFiles={"../SOUL.md": ""}), "spec.workspaceFiles", "keyed by plain file names"),
    (tenant(workspaceFiles={".hidden": ""}), "spec.workspaceFiles", "keyed by plain file names"),
    (tenant(workspaceFiles={"x" * 254: ""}), "spec.workspaceFiles", "keyed by plain file names"),
    (tenant(workspaceFiles={f"{n}.md": "" for n in range(33)}), "spec.workspaceFiles", "must have at most 32"),
    (tenant(workspaceFiles={"a": "x" * 262_145}), "spec.workspaceFiles.a", "may not be more than 262144"),
    (
        tenant(workspaceFiles={f"{n}.md": "ü" * 112_501 for n in range(4)}),
        "spec.workspaceFiles",
        "must not hold more than 900000 bytes in all",
    ),
    (tenant(channelUsers={"Threema": []}), "spec.channelUsers", "keyed by channel ids, which are DNS labels"),
    (tenant(channelUsers={"threema": ["x"] * 257}), "spec.channelUsers.threema", "must have at most 256 items"),
    (tenant(channelUsers={"threema": [""]}), "spec.channelUsers.threema[0]", "should be at least 1 chars long"),
    (tenant(channelUsers={f"c{n}": [] for n in range(17)}), "spec.channelUsers", "must have at most 16"),
    (tenant(openClawImage="a:1"), "spec.openClawImage", "must be of type object"),
    (tenant(openClawImage={"repository": "a/b:1"}), "spec.openClawImage.repository", "without a tag"),
    (tenant(openClawImage={"tag": "-1"}), "spec.openClawImage.tag", "must be an image tag"),
    (without(package(), "displayName"), "spec.displayName", "Required value"),
    (without(package(), "image"), "spec.image", "Required value"),
    (package("a.b"), "metadata.name", "it is the id by which tenants switch the package on"),
    (package("x" * 64), "metadata.name", "may not be more than 63"),
    (package(image="a b"), "spec.image", "image must not contain white space"),
    (package(command=["x"] * 65), "spec.command", "must have at most 64 items"),
    (package(args=["x" * 4097]), "spec.args[0]", "may not be more than 4096"),
    (package(env=[{"name": "1A"}]), "spec.env[0].name", "env.name must be letters, digits and underscores"),
    (package(env=[{"name": "A"}, {"name": "A"}]), "spec.env[1]", "Duplicate value"),
    (package(env=[{"value": "x"}]), "spec.env[0].name", "Required value"),
    (package(ports=[{"name": "http", "port": 0}]), "spec.ports[0].port", "greater than or equal to 1"),
    (package(ports=[{"name": "http", "port": 65536}]), "spec.ports[0].port", "less than or equal to 65535"),
    (package(ports=[{"name": "8080", "port": 1}]), "spec.ports[0].name", "ports.name must be lowercase letters"),
    (package(ports=[{"name": "http", "port": 1, "protocol": "tcp"}]), "spec.ports[0].protocol", '"TCP", "UDP"'),
    (
        package(ports=[{"name": "a", "port": 1}, {"name": "b", "port": 1}]),
        "spec.ports",
        "ports must not name a port and protocol twice",
    ),
    (
        package(resources={"requests": {"cpu": "501m"}}),
        "spec.resources",
        "resources.requests.cpu must not exceed resources.limits.cpu",
    ),
    (
        package(resources={"limits": {"memory": "63Mi"}}),
        "spec.resources",
        "resources.requests.memory must not exceed resources.limits.memory",
    ),
    (package(resources={"limits": {"cpu": "much"}}), "spec.resources.limits.cpu", f"resources.limits.cpu {QUANTITY}"),
    (package(egress=[{"cidr": "192.0.2.1/24", "port": 1}]), "spec.egress[0].cidr", "a CIDR without host bits"),
    (package(egress=[{"cidr": "192.0.2.1", "port": 1}]), "spec.egress[0].cidr", "a CIDR without host bits"),
    (package(egress=[{"cidr": "192.0.2.0/24"}]), "spec.egress[0].port", "Required value"),
    (package(egress=[{"cidr": "::/0", "port": n} for n in range(1, 66)]), "spec.egress", "at most 64 items"),
]


@pytest.mark.parametrize(
    ("manifest", "field", "message"), REFUSED, ids=[f"{n}-{row[1]}" for n, row in enumerate(REFUSED)]
)
def test_refused(api: ApiServer, manifest: dict[str, Any], field: str, message: str) -> None:
    refusal = api.refusal(manifest)
    assert field in refusal
    assert message in refusal


def test_a_field_that_does_not_exist_is_named(cluster: Cluster) -> None:
    with pytest.raises(ClusterFailed, match=r'unknown field "spec\.budget"'):
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(tenant(budget=10)))


def test_the_api_servers_defaults_are_the_models(api: ApiServer) -> None:
    stored = api.create(tenant(), dry_run=True)
    assert stored["spec"] == {
        "displayName": "Schema",
        "packages": [],
        "suspend": False,
        "agentId": "assistant",
        "agentName": "Assistant",
        "storageSize": "5Gi",
    }
    assert decode_tenant(stored).spec == TenantSpec(display_name="Schema")
    stored = api.create(package(resources={}), dry_run=True)
    assert decode_package(stored).spec == PackageSpec(display_name="Schema", image="pieced/schema:1")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=tenant_specs)
def test_every_tenant_that_the_schema_allows_is_read_as_it_was_written(api: ApiServer, spec: dict[str, Any]) -> None:
    assert decode_tenant(api.create(tenant(**spec), dry_run=True)).spec == TenantSpec.model_validate(spec)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=package_specs)
def test_every_package_that_the_schema_allows_is_read_as_it_was_written(api: ApiServer, spec: dict[str, Any]) -> None:
    assert decode_package(api.create(package(**spec), dry_run=True)).spec == PackageSpec.model_validate(spec)


def test_taking_packages_away_is_a_change_with_a_generation(api: ApiServer) -> None:
    name = "packages-removed"
    created = api.apply(tenant(name, packages=["threema"]), manager="gitops")
    removed = api.apply(tenant(name), manager="gitops")
    api.delete(tenant(name))
    assert removed["spec"]["packages"] == []
    assert removed["metadata"]["generation"] == created["metadata"]["generation"] + 1


def test_a_status_is_written_beside_the_spec_and_shown_in_columns(api: ApiServer, cluster: Cluster) -> None:
    api.create(tenant("columns", packages=["threema"]))
    status = {"phase": "Ready", "tenantNamespace": "tenant-columns"}
    cluster.kubectl(
        "patch",
        "pt",
        "columns",
        "--subresource=status",
        "--type=merge",
        "-p",
        f'{{"status": {status}}}'.replace("'", '"'),
    )
    title, row = cluster.kubectl("get", "pt", "columns").splitlines()
    listed = cluster.kubectl("get", "pieced", "-o", "name")
    api.delete(tenant("columns"))
    columns = ["NAME", "DISPLAY NAME", "PHASE", "PACKAGES", "NAMESPACE", "CHF TO DATE", "CHF FORECAST", "AGE"]
    assert re.split(r"\s{2,}", title.strip()) == columns
    assert row.split()[:5] == ["columns", "Schema", "Ready", '["threema"]', "tenant-columns"]
    assert "piecedtenant.pieced.ch/columns" in listed
