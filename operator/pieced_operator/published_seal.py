"""The latest seal as a ConfigMap, outside of the database that it speaks of and of the operator's namespace."""

from typing import Final

from pieced_billing import faults
from pieced_billing.errors import Refused
from pieced_operator import paths
from pieced_operator.api_errors import NotFound
from pieced_operator.cluster import Cluster, Resource

SEAL: Final = "seal"
"""Where the ConfigMap has its signed line."""


class NoNamespace(Refused):
    """The namespace for seals is not there."""

    code = "no_namespace"

    def __init__(self, namespace: str) -> None:
        super().__init__(f"There is no namespace {namespace} for seals; make it, or name another one.")


def seal_config_map(namespace: str, name: str, line: str) -> Resource:
    """The ConfigMap that publishes a signed line."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {SEAL: line}}


async def publish_seal(cluster: Cluster, namespace: str, name: str, line: bytes) -> None:
    """Write a signed line in place of the one before. Raises NoNamespace, ApiRefused and Unavailable."""
    body = seal_config_map(namespace, name, line.decode())
    faults.point("seal.before_publish")
    try:
        await cluster.apply(f"{paths.NAMESPACES}/{namespace}/configmaps/{name}", body)
    except NotFound:
        raise NoNamespace(namespace) from None
    faults.point("seal.after_publish")
