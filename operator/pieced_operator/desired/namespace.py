"""The tenant's namespace: what it should be, and whether a live one of that name is ours to use."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from pieced_operator.desired.manifest import Manifest, child, cluster_child
from pieced_operator.names import ASSISTANT, TENANT_KIND, TENANT_UID_LABEL, namespace_of
from pieced_operator.tenant import Tenant


class Claim(Enum):
    """Whose a live namespace of the wanted name is."""

    ABSENT = auto()
    OURS = auto()
    LEAVING = auto()
    """Being deleted, or left behind by a tenant that is gone and about to be collected: wait for its end."""
    FOREIGN = auto()
    """Somebody else's: never touched."""


def claim(tenant: Tenant, live: Mapping[str, Any] | None) -> Claim:
    """Whose the live namespace of the tenant's wanted name is.

    The uid decides, not the name: a namespace restored or made by hand becomes ours when an administrator puts the
    tenant's uid into its label.
    """
    if live is None:
        return Claim.ABSENT
    metadata = live["metadata"]
    if metadata.get("deletionTimestamp"):
        return Claim.LEAVING
    owners = {owner["uid"] for owner in metadata.get("ownerReferences", ()) if owner["kind"] == TENANT_KIND}
    if tenant.uid in owners or metadata.get("labels", {}).get(TENANT_UID_LABEL) == tenant.uid:
        return Claim.OURS
    return Claim.LEAVING if owners else Claim.FOREIGN


def namespace(tenant: Tenant) -> Manifest:
    """The namespace, which admits only pods that keep to the restricted Pod Security Standard."""
    return cluster_child(
        tenant,
        "Namespace",
        namespace_of(tenant.name),
        labels={
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/enforce-version": "latest",
        },
    )


def service_account(tenant: Tenant) -> Manifest:
    """The account under which the tenant's pods run; it has no rights, and no token is mounted."""
    return child(tenant, "v1", "ServiceAccount", ASSISTANT, automountServiceAccountToken=False)
