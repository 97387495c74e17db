"""A child of a tenant as a plain manifest: who owns it, how it is found again, and a checksum of what was wanted."""

from hashlib import sha256
from typing import Any

import orjson

from pieced_operator.names import (
    API_VERSION,
    FIELD_MANAGER,
    MANAGED_BY_LABEL,
    MANIFEST_CHECKSUM_ANNOTATION,
    TENANT_KIND,
    TENANT_LABEL,
    TENANT_UID_LABEL,
    namespace_of,
)
from pieced_operator.tenant import Tenant

Manifest = dict[str, Any]


def child(tenant: Tenant, api_version: str, kind: str, name: str, **body: Any) -> Manifest:
    """A namespaced child of a tenant; `body` is what follows the metadata (`spec`, `data`, …)."""
    return _owned(tenant, api_version, kind, {"name": name, "namespace": namespace_of(tenant.name)}, body)


def cluster_child(tenant: Tenant, kind: str, name: str, labels: dict[str, str]) -> Manifest:
    """A child outside any namespace, with labels of its own."""
    return _owned(tenant, "v1", kind, {"name": name, "labels": labels}, {})


def checksum(content: Any) -> str:
    """A short checksum of JSON content, whatever the order of its keys."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _owned(tenant: Tenant, api_version: str, kind: str, metadata: dict[str, Any], body: dict[str, Any]) -> Manifest:
    """The manifest with labels, owner and checksum.

    A field that is no longer wanted leaves the manifest, and what is absent cannot be compared with the live object:
    the checksum changes in its place, and the next apply takes the field away.
    """
    labels = {
        **metadata.get("labels", {}),
        MANAGED_BY_LABEL: FIELD_MANAGER,
        TENANT_LABEL: tenant.name,
        TENANT_UID_LABEL: tenant.uid,
    }
    owner = {
        "apiVersion": API_VERSION,
        "kind": TENANT_KIND,
        "name": tenant.name,
        "uid": tenant.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {**metadata, "labels": labels, "ownerReferences": [owner]}
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
    metadata["annotations"] = {MANIFEST_CHECKSUM_ANNOTATION: checksum(manifest)}
    return manifest
