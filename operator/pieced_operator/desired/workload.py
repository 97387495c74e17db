"""What every workload of a tenant has in common: one pod, restricted, with nothing of its image writable."""

from typing import Any

from pieced_operator.desired.manifest import Manifest, child
from pieced_operator.names import ASSISTANT, TENANT_LABEL
from pieced_operator.package import Port
from pieced_operator.tenant import Tenant

# The user and group of every container: an image that names a user by name, or none, could not be checked for root.
RUN_AS_ID = 1000

CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
POD_SECURITY: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": RUN_AS_ID,
    "runAsGroup": RUN_AS_ID,
    "fsGroup": RUN_AS_ID,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SCRATCH = {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}
SCRATCH_MOUNT = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - a volume of the pod's own


def deployment(
    tenant: Tenant,
    name: str,
    selector: dict[str, str],
    pod: dict[str, Any],
    *,
    strategy: dict[str, Any],
    annotations: dict[str, str] | None = None,
) -> Manifest:
    """A Deployment of one replica, or none while the tenant is suspended."""
    template_metadata: dict[str, Any] = {"labels": {TENANT_LABEL: tenant.name, **selector}}
    if annotations:
        template_metadata["annotations"] = annotations
    return child(
        tenant,
        "apps/v1",
        "Deployment",
        name,
        spec={
            "replicas": 0 if tenant.spec.suspend else 1,
            "revisionHistoryLimit": 2,
            "strategy": strategy,
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": template_metadata,
                "spec": {
                    "serviceAccountName": ASSISTANT,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": POD_SECURITY,
                    **pod,
                },
            },
        },
    )


def service(tenant: Tenant, name: str, selector: dict[str, str], ports: tuple[Port, ...]) -> Manifest:
    """A headless Service: the workload's one pod by name, its ports under their own numbers.

    Nothing is to be balanced, and a range of cluster addresses often has room for 4,096 Services or fewer.
    """
    return child(
        tenant,
        "v1",
        "Service",
        name,
        spec={
            "clusterIP": "None",
            "selector": selector,
            "ports": [
                {"name": port.name, "port": port.port, "targetPort": port.name, "protocol": port.protocol}
                for port in ports
            ],
        },
    )


def listening(ports: tuple[Port, ...]) -> dict[str, Any]:
    """The ports of a container, and a probe that the first TCP port among them accepts connections."""
    container: dict[str, Any] = {}
    if ports:
        container["ports"] = [
            {"name": port.name, "containerPort": port.port, "protocol": port.protocol} for port in ports
        ]
    for port in ports:
        if port.protocol == "TCP":
            container["readinessProbe"] = {"tcpSocket": {"port": port.name}, "periodSeconds": 10}
            break
    return container
