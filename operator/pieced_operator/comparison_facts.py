"""What a check reads of a cluster: lean, page by page."""

from collections.abc import AsyncIterator
from typing import Final

from pieced_operator import paths
from pieced_operator.catalogue import Catalogue
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.comparison import Cluster as Facts
from pieced_operator.comparison import Ordered, Running
from pieced_operator.decode import decode_version
from pieced_operator.names import TENANT_LABEL, TENANT_UID_LABEL, namespace_of
from pieced_operator.pods import whose

_OVER: Final = frozenset({"Succeeded", "Failed"})


async def cluster_facts(cluster: Cluster, org_label: str) -> Facts:
    """Everything that there is now. Raises ApiRefused and Unavailable."""
    system = await cluster.get(f"{paths.NAMESPACES}/kube-system")
    catalogue = Catalogue()
    async for package in _each(cluster, paths.PACKAGES):
        catalogue.saw(package)
    tenants = [_ordered(tenant, org_label) async for tenant in _each(cluster, paths.TENANTS)]
    deployments = [_of_deployment(one) async for one in _each(cluster, paths.children("Deployment"), TENANT_LABEL)]
    pods = [_of_pod(one) async for one in _each(cluster, paths.PODS, TENANT_LABEL)]
    running = [one for one in (*deployments, *pods) if one is not None]
    return Facts(system["metadata"]["uid"], tenants, catalogue.catalogued_at.keys(), running)


async def _each(cluster: Cluster, path: str, labels: str = "") -> AsyncIterator[Resource]:
    async for page in cluster.pages(path, labels):
        for resource in page.items:
            yield resource


def _ordered(resource: Resource, org_label: str) -> Ordered:
    version = decode_version(resource, org_label)
    leaving = version.deleted_at is not None
    return Ordered(
        version.uid,
        version.name,
        version.accepted,
        leaving,
        version.suspended,
        version.packages,
        version.served,
    )


def _of_deployment(deployment: Resource) -> Running | None:
    """A Deployment of a tenant that wants to run; one that is being deleted does not."""
    metadata = deployment["metadata"]
    labels = metadata["labels"]
    tenant = labels[TENANT_LABEL]
    if not deployment["spec"].get("replicas") or "deletionTimestamp" in metadata:
        return None
    if metadata["namespace"] != namespace_of(tenant):
        return None
    return Running(tenant, labels.get(TENANT_UID_LABEL, ""), metadata["name"])


def _of_pod(pod: Resource) -> Running | None:
    """A pod of a tenant that has not ended and is not about to."""
    tenant, workload = whose(pod)
    ending = "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in _OVER
    if tenant is None or workload is None or ending:
        return None
    return Running(tenant, "", workload)
