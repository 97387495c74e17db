"""Everything that a tenant should have in the cluster. Start reading here."""

from collections.abc import Mapping
from typing import NamedTuple

from pieced_operator.desired.assistant import assistant_deployment, assistant_service
from pieced_operator.desired.manifest import Manifest
from pieced_operator.desired.namespace import namespace, service_account
from pieced_operator.desired.network_policy import default_deny
from pieced_operator.desired.packages import known_packages, package_children
from pieced_operator.desired.quota import limit_range, resource_quota
from pieced_operator.desired.settings import Settings
from pieced_operator.desired.workspace import assistant_settings, volume, workspace_files
from pieced_operator.package import Package
from pieced_operator.tenant import Tenant


class ChildKind(NamedTuple):
    """A kind of which tenants have children: what to watch, and where to look for what is no longer wanted."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True


CHILD_KINDS = (
    ChildKind("v1", "Namespace", "namespaces", namespaced=False),
    ChildKind("v1", "ServiceAccount", "serviceaccounts"),
    ChildKind("v1", "LimitRange", "limitranges"),
    ChildKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    ChildKind("v1", "ConfigMap", "configmaps"),
    ChildKind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ChildKind("v1", "ResourceQuota", "resourcequotas"),
    ChildKind("v1", "Service", "services"),
    ChildKind("apps/v1", "Deployment", "deployments"),
)


def desired_children(tenant: Tenant, catalogue: Mapping[str, Package], settings: Settings) -> list[Manifest]:
    """Every child that the tenant should have, in the order in which to apply them.

    The namespace comes first and policies come before pods. The volume comes before the quota, because a claim under a
    quota that has not been counted yet is refused; a volume that grows is let in after the quota has grown.
    """
    packages = known_packages(tenant, catalogue)
    return [
        namespace(tenant),
        service_account(tenant),
        limit_range(tenant),
        default_deny(tenant),
        workspace_files(tenant),
        assistant_settings(tenant),
        volume(tenant),
        resource_quota(tenant, packages, settings),
        assistant_service(tenant),
        assistant_deployment(tenant, settings),
        *(manifest for package in packages for manifest in package_children(tenant, package)),
    ]
