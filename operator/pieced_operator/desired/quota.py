"""How much of the cluster a tenant may take: a quota for the whole, defaults for a container that names nothing."""

from collections.abc import Sequence

from pieced_operator.desired.manifest import Manifest, child
from pieced_operator.desired.settings import Settings
from pieced_operator.package import Limits, Package, Requests, Resources
from pieced_operator.quantity import canonical, total
from pieced_operator.tenant import Tenant

# While a pod is replaced, or its node is drained, the old and the new one count at the same time.
PODS_PER_WORKLOAD = 2


def resource_quota(tenant: Tenant, packages: Sequence[Package], settings: Settings) -> Manifest:
    """The quota: what the assistant and the packages need, twice, and one volume of the ordered size."""
    needs = [settings.assistant_resources, *(package.spec.resources for package in packages)] * PODS_PER_WORKLOAD
    hard = {
        "requests.cpu": total(need.requests.cpu for need in needs),
        "requests.memory": total(need.requests.memory for need in needs),
        "limits.cpu": total(need.limits.cpu for need in needs),
        "limits.memory": total(need.limits.memory for need in needs),
        "pods": str(len(needs)),
        "persistentvolumeclaims": "1",
        "requests.storage": canonical(tenant.spec.storage_size),
    }
    return child(tenant, "v1", "ResourceQuota", "tenant", spec={"hard": hard})


def limit_range(tenant: Tenant) -> Manifest:
    """What a container gets that names no resources, so that the quota can count it."""
    defaults = container_resources(Resources(requests=Requests(), limits=Limits()))
    limit = {"type": "Container", "default": defaults["limits"], "defaultRequest": defaults["requests"]}
    return child(tenant, "v1", "LimitRange", "tenant", spec={"limits": [limit]})


def container_resources(resources: Resources) -> dict[str, dict[str, str]]:
    """The resources of one container, as the API server spells them."""
    return {
        "requests": {"cpu": canonical(resources.requests.cpu), "memory": canonical(resources.requests.memory)},
        "limits": {"cpu": canonical(resources.limits.cpu), "memory": canonical(resources.limits.memory)},
    }
