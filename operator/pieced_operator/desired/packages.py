"""The packages that a tenant has switched on: those of the catalogue with what they run, and those that it lacks."""

from collections.abc import Iterator, Mapping
from typing import Any

from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.network_policy import package_egress
from pieced_operator.desired.quota import container_resources
from pieced_operator.desired.workload import (
    CONTAINER_SECURITY,
    SCRATCH,
    SCRATCH_MOUNT,
    deployment,
    listening,
    service,
)
from pieced_operator.names import COMPONENT_LABEL, PACKAGE_LABEL, package_child
from pieced_operator.package import Package
from pieced_operator.tenant import Tenant


def known_packages(tenant: Tenant, catalogue: Mapping[str, Package]) -> list[Package]:
    """The tenant's packages that the catalogue has, by id."""
    return [catalogue[package] for package in sorted(tenant.spec.packages) if package in catalogue]


def unknown_packages(tenant: Tenant, catalogue: Mapping[str, Package]) -> tuple[str, ...]:
    """The ids of the tenant's packages that the catalogue does not have, sorted."""
    return tuple(package for package in sorted(tenant.spec.packages) if package not in catalogue)


def package_children(tenant: Tenant, package: Package) -> Iterator[Manifest]:
    """What one package runs for a tenant: a policy if it has egress, a Service if it has ports, a Deployment."""
    name = package_child(package.id)
    selector = {COMPONENT_LABEL: "package", PACKAGE_LABEL: package.id}
    if package.spec.egress:
        yield package_egress(tenant, package)
    if package.spec.ports:
        yield service(tenant, name, selector, package.spec.ports)
    yield deployment(
        tenant,
        name,
        selector,
        {"containers": [_container(package)], "volumes": [SCRATCH]},
        strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    )


def _container(package: Package) -> dict[str, Any]:
    spec = package.spec
    container: dict[str, Any] = {
        "name": "package",
        "image": spec.image,
        "resources": container_resources(spec.resources),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [SCRATCH_MOUNT],
        **listening(spec.ports),
    }
    if spec.command:
        container["command"] = list(spec.command)
    if spec.args:
        container["args"] = list(spec.args)
    if spec.env:
        container["env"] = [{"name": variable.name, "value": variable.value} for variable in spec.env]
    return container
