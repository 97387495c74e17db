"""What is read of a live child: all that may be wanted of it, and nothing of what its writers note about it."""

from typing import Any

import orjson
import pytest

from pieced_operator.desired.children import desired_children
from pieced_operator.desired.settings import Settings
from pieced_operator.live_child import LIVE_CHILD, LiveChild
from pieced_operator.names import TENANT_UID_LABEL
from tests.tenants import CATALOGUE, RICH_SPEC, tenant

MANIFESTS = desired_children(tenant(spec=RICH_SPEC, uid="t-1"), CATALOGUE, Settings())
NOTED = {
    "uid": "u-1",
    "resourceVersion": "7",
    "generation": 3,
    "creationTimestamp": "2026-03-01T09:00:00Z",
    "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
}


def live(manifest: dict[str, Any], status: dict[str, Any] | None = None, **noted: Any) -> LiveChild:
    metadata = manifest["metadata"] | NOTED | noted
    return LIVE_CHILD.one.decode(orjson.dumps({**manifest, "metadata": metadata, "status": status or {}}))


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=map(name_of, MANIFESTS))
def test_all_that_is_wanted_of_a_child_is_compared(manifest: dict[str, Any]) -> None:
    wanted = {field: value for field, value in manifest.items() if field not in ("apiVersion", "kind")}
    assert orjson.loads(live(manifest).content()) == wanted
    assert live(manifest).metadata.tenant_uid() == "t-1"


def test_who_wrote_it_and_what_became_of_it_is_not_compared() -> None:
    before = live(MANIFESTS[0]).content()
    assert live(MANIFESTS[0], {"phase": "Active"}, resourceVersion="8", managedFields=[]).content() == before
    assert live(MANIFESTS[0], labels={}).content() != before


def test_a_child_that_lost_its_owner_is_known_by_its_label() -> None:
    stray = live(MANIFESTS[0], ownerReferences=[{"kind": "Node", "uid": "n-1"}], labels={TENANT_UID_LABEL: "t-2"})
    assert stray.metadata.tenant_uid() == "t-2"
    assert live(MANIFESTS[0], ownerReferences=[], labels={}).metadata.tenant_uid() == ""


def test_the_state_of_a_child_is_what_readiness_looks_at() -> None:
    by_name = {name_of(manifest): manifest for manifest in MANIFESTS}
    deployment = live(by_name["Deployment assistant"], {"observedGeneration": 3}).state("Deployment")
    assert deployment == b'{"metadata":{"generation":3},"status":{"observedGeneration":3}}'
    volume = by_name["PersistentVolumeClaim workspace"]
    asked = orjson.dumps(volume["spec"]["resources"])
    state = live(volume, {"phase": "Bound"}).state("PersistentVolumeClaim")
    assert state == (
        b'{"metadata":{"creationTimestamp":"2026-03-01T09:00:00Z"},"spec":{"resources":%b},"status":{"phase":"Bound"}}'
        % asked
    )
    assert live(MANIFESTS[0]).state("Namespace") is None
