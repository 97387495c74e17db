"""Who may talk to whom: nobody, but for DNS, the tenant's own pods among each other, and the packages' egress."""

from typing import Any

from pieced_operator.desired.manifest import Manifest, child
from pieced_operator.names import PACKAGE_LABEL, package_child
from pieced_operator.package import Package
from pieced_operator.tenant import Tenant

_NETWORKING = "networking.k8s.io/v1"
_CLUSTER_DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
_OWN_PODS: dict[str, Any] = {"podSelector": {}}


def default_deny(tenant: Tenant) -> Manifest:
    """The policy of every pod: no traffic in or out, except DNS and within the tenant's namespace."""
    return child(
        tenant,
        _NETWORKING,
        "NetworkPolicy",
        "default-deny",
        spec={
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [_OWN_PODS]}],
            "egress": [{"to": [_OWN_PODS]}, _CLUSTER_DNS],
        },
    )


def package_egress(tenant: Tenant, package: Package) -> Manifest:
    """The policy that opens a package's destinations to that package's pods."""
    return child(
        tenant,
        _NETWORKING,
        "NetworkPolicy",
        package_child(package.id),
        spec={
            "podSelector": {"matchLabels": {PACKAGE_LABEL: package.id}},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": destination.cidr}}],
                    "ports": [{"protocol": destination.protocol, "port": destination.port}],
                }
                for destination in package.spec.egress
            ],
        },
    )
