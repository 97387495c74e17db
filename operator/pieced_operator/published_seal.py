"""The latest seal as a ConfigMap, outside of the database that it speaks of and of the operator's namespace."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pieced_billing import faults
from pieced_billing.errors import Refused
from pieced_billing.ledger.seal import KIND, Seal
from pieced_billing.ledger.signed_line import verified_statement
from pieced_operator import paths
from pieced_operator.api_errors import NotFound
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.names import LEDGER_SEAL

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


async def read_seal(cluster: Cluster, namespace: str, key: Ed25519PublicKey) -> Seal | None:
    """The ledger's last seal; None if there is none. Raises BadSeal, ApiRefused and Unavailable."""
    try:
        found = await cluster.get(_path(namespace))
    except NotFound:
        return None
    line = (found.get("data") or {}).get(SEAL, "")
    return Seal.of(verified_statement(KIND, line.encode(), key, f"The ConfigMap {namespace}/{LEDGER_SEAL}"))


async def publish_seal(cluster: Cluster, namespace: str, line: bytes) -> None:
    """Write the ledger's seal in place of the one before. Raises NoNamespace, ApiRefused and Unavailable."""
    body = seal_config_map(namespace, LEDGER_SEAL, line.decode())
    faults.point("seal.before_publish")
    try:
        await cluster.apply(_path(namespace), body)
    except NotFound:
        raise NoNamespace(namespace) from None
    faults.point("seal.after_publish")


def _path(namespace: str) -> str:
    return f"{paths.NAMESPACES}/{namespace}/configmaps/{LEDGER_SEAL}"
