"""What holds of the children of every tenant, and of the comparison with what is live."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pieced_operator.desired.children import CHILD_KINDS, desired_children
from pieced_operator.desired.drift import differs
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.packages import known_packages, unknown_packages
from pieced_operator.desired.settings import Settings
from pieced_operator.names import namespace_of
from pieced_operator.package import Package
from pieced_operator.quantity import canonical, parse
from pieced_operator.tenant import Tenant
from tests.property.tenants import ordered, quantities

ATOMIC_MAPS = {"podSelector", "selector"}
MERGED = {"containers", "initContainers", "env", "volumes", "volumeMounts", "ownerReferences", "ports"}
FOREIGN = "added-by-somebody-else"


@settings(max_examples=50)
@given(ordered())
def test_children_are_named_once_in_the_tenants_namespace_and_of_known_kinds(
    order: tuple[Tenant, dict[str, Package]],
) -> None:
    tenant, catalogue = order
    children = desired_children(tenant, catalogue, Settings())
    keys = [(child["apiVersion"], child["kind"], child["metadata"]["name"]) for child in children]
    namespaces = {child["metadata"].get("namespace") for child in children[1:]}
    assert len(keys) == len(set(keys))
    assert {key[:2] for key in keys} <= {(kind.api_version, kind.kind) for kind in CHILD_KINDS}
    assert children[0]["metadata"]["name"] == namespace_of(tenant.name)
    assert namespaces == {namespace_of(tenant.name)}


@settings(max_examples=50)
@given(ordered())
def test_every_package_is_either_run_or_named_as_unknown(order: tuple[Tenant, dict[str, Package]]) -> None:
    tenant, catalogue = order
    known = {package.id for package in known_packages(tenant, catalogue)}
    unknown = set(unknown_packages(tenant, catalogue))
    deployments = [child for child in desired_children(tenant, catalogue, Settings()) if child["kind"] == "Deployment"]
    assert known | unknown == set(tenant.spec.packages)
    assert not known & unknown
    assert len(deployments) == 1 + len(known)
    assert {child["spec"]["replicas"] for child in deployments} == {0 if tenant.spec.suspend else 1}


@settings(max_examples=50)
@given(ordered(), st.data())
def test_what_others_add_beside_ours_is_no_difference(
    order: tuple[Tenant, dict[str, Package]], data: st.DataObject
) -> None:
    wanted = data.draw(st.sampled_from(desired_children(*order, Settings())))
    live = deepcopy(wanted)
    for container in _open_containers(live):
        if isinstance(container, dict):
            container[FOREIGN] = "value"
        else:
            container.insert(
                data.draw(st.integers(0, len(container))), {"name": FOREIGN, "uid": FOREIGN, "port": FOREIGN}
            )
    live["status"] = {"phase": "Bound"}
    assert not differs(wanted, live)


@settings(max_examples=50)
@given(ordered(), st.data())
def test_any_field_of_ours_changed_or_removed_is_a_difference(
    order: tuple[Tenant, dict[str, Package]], data: st.DataObject
) -> None:
    wanted = data.draw(st.sampled_from(desired_children(*order, Settings())))
    live = deepcopy(wanted)
    parent, key = data.draw(st.sampled_from(list(_leaves(live))))
    if data.draw(st.booleans()):
        del parent[key]
    else:
        parent[key] = FOREIGN
    assert differs(wanted, live)


@settings(max_examples=50)
@given(ordered())
def test_a_live_object_that_is_as_wanted_does_not_differ(order: tuple[Tenant, dict[str, Package]]) -> None:
    for wanted in desired_children(*order, Settings()):
        assert not differs(wanted, deepcopy(wanted))


@given(quantities)
def test_a_quantity_spelled_canonically_is_the_same_and_stays_so(text: str) -> None:
    assert parse(canonical(text)).thousandths == parse(text).thousandths
    assert canonical(canonical(text)) == canonical(text)


def _open_containers(value: Any, field: str = "") -> Iterator[Any]:
    """Every map and every list but the atomic ones: where others may add something of their own."""
    if isinstance(value, dict) and field not in ATOMIC_MAPS:
        for key, part in list(value.items()):
            yield from _open_containers(part, key)
        yield value
    elif isinstance(value, list) and field in MERGED:
        for item in value:
            yield from _open_containers(item)
        yield value


def _leaves(value: Manifest | list[Any]) -> Iterator[tuple[Any, Any]]:
    """Every scalar, and every empty map or list, as (what holds it, its key)."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in pairs:
        if isinstance(part, dict | list) and part:
            yield from _leaves(part)
        else:
            yield value, key
