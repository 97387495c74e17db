"""What is known of the tenants' children: little per child, enough to see at once that nothing has to be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from sys import intern
from typing import Any, Final, TypeAlias

import orjson

from pieced_operator.cluster import Resource
from pieced_operator.desired.drift import differs
from pieced_operator.names import MANIFEST_CHECKSUM_ANNOTATION, TENANT_KIND, TENANT_UID_LABEL
from pieced_operator.packing import packed

ChildKey: TypeAlias = tuple[str, str]
"""Kind and name: a tenant has one namespace, and of each kind one child of a name."""

_KIND: Final = frozenset({"apiVersion", "kind"})  # the items of a list do not have them
_VOLATILE: Final = _KIND | {"metadata", "status"}
_KEPT_METADATA: Final = ("name", "namespace", "labels", "annotations", "ownerReferences", "deletionTimestamp")
_GONE_LIMIT: Final = 10_000
_KINDS_WITH_STATE: Final = frozenset({"Deployment", "PersistentVolumeClaim"})


@dataclass(slots=True)
class Child:
    """One live child.

    `content` is a digest of all but status and bookkeeping. `in_sync_with` is the checksum of the manifest that this
    content is known to fulfil. `live` holds the content itself from when it changed until it has been compared.
    `state` is what readiness looks at (None for kinds that are ready by being there).
    """

    uid: str
    resource_version: int
    content: bytes
    in_sync_with: str | None
    live: bytes | None
    state: bytes | None
    leaving: bool


class Children:
    """All live children that carry our label, by the uid of their tenant."""

    def __init__(self) -> None:
        self._of: dict[str, dict[ChildKey, Child]] = {}
        self._gone: dict[str, int] = {}  # who vanished lately, and in which version: an older one may still arrive

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def of(self, tenant_uid: str) -> dict[ChildKey, Child]:
        """The live children of a tenant; not to be changed."""
        return self._of.get(tenant_uid, {})

    def saw(self, kind: str, resource: Resource) -> str | None:
        """Take note of a child as it is now; returns its tenant's uid when that tenant's reconciliation may change."""
        metadata = resource["metadata"]
        tenant_uid = _tenant_uid(resource)
        key, version = (kind, intern(metadata["name"])), int(metadata["resourceVersion"])
        known = self._of.get(tenant_uid, {}).get(key)
        if version <= max(self._gone.get(metadata["uid"], 0), known.resource_version if known else 0):
            return None
        content = _compared(resource)
        child = _child(kind, resource, content)
        if known is None or known.uid != child.uid or known.content != child.content:
            child.live = content
        else:
            child.in_sync_with, child.live = known.in_sync_with, known.live
        self._of.setdefault(tenant_uid, {})[key] = child
        nothing_new = known is not None and child.live is None and child.state == known.state
        return None if nothing_new else tenant_uid

    def applied(self, kind: str, manifest: Resource, answer: Resource) -> None:
        """Take note of a child that we have just applied: it fulfils the manifest.

        Where the watch was faster than the answer, what it saw is newer and stays: it will be compared, or made anew.
        """
        tenant_uid, key = _tenant_uid(manifest), (kind, manifest["metadata"]["name"])
        child = _child(kind, answer, _compared(answer))
        child.in_sync_with = checksum(manifest)
        known = self.of(tenant_uid).get(key)
        is_latest = known is None or known.resource_version <= child.resource_version
        if is_latest and child.resource_version > self._gone.get(child.uid, 0):
            self._of.setdefault(tenant_uid, {})[key] = child

    def vanished(self, kind: str, resource: Resource) -> str | None:
        """Forget a child that was deleted, or lost our label; returns its tenant's uid if it was known."""
        metadata = resource["metadata"]
        tenant_uid = _tenant_uid(resource)
        self._gone[metadata["uid"]] = int(metadata["resourceVersion"])
        if len(self._gone) > _GONE_LIMIT:
            del self._gone[next(iter(self._gone))]
        return tenant_uid if self._forget(tenant_uid, (kind, metadata["name"]), metadata["uid"]) else None

    def keep_only(self, kind: str, uids: set[str]) -> Iterator[str]:
        """After a full LIST of a kind: forget what was not in it; yields the uids of tenants that lost one."""
        for tenant_uid, children in list(self._of.items()):
            for key, child in list(children.items()):
                if key[0] == kind and child.uid not in uids and self._forget(tenant_uid, key, child.uid):
                    yield tenant_uid

    def state(self, tenant_uid: str, kind: str, name: str) -> dict[str, Any] | None:
        """What readiness looks at of a live child; None when it does not exist."""
        child = self.of(tenant_uid).get((kind, name))
        return None if child is None or child.state is None else orjson.loads(child.state)

    def in_sync(self, tenant_uid: str, manifest: Resource) -> bool:
        """Whether the live child is what the manifest wants; compares at most once per change of either."""
        child = self.of(tenant_uid).get((manifest["kind"], manifest["metadata"]["name"]))
        if child is None:
            return False
        wanted = checksum(manifest)
        if child.live is not None:
            wanted_content = {key: value for key, value in manifest.items() if key not in _KIND}
            child.in_sync_with = None if differs(wanted_content, orjson.loads(child.live)) else wanted
            child.live = None
        return child.in_sync_with == wanted

    def _forget(self, tenant_uid: str, key: ChildKey, uid: str) -> bool:
        children = self._of.get(tenant_uid, {})
        if key not in children or children[key].uid != uid:
            return False
        del children[key]
        if not children:
            del self._of[tenant_uid]
        return True


def checksum(manifest: Resource) -> str:
    """What identifies a manifest that we want: it carries its own checksum."""
    annotated: str = manifest["metadata"]["annotations"][MANIFEST_CHECKSUM_ANNOTATION]
    return annotated


def _tenant_uid(resource: Resource) -> str:
    """The uid of the tenant that a child belongs to: by its owner, by its label where somebody removed the owner."""
    metadata = resource["metadata"]
    owners = [owner["uid"] for owner in metadata.get("ownerReferences", ()) if owner["kind"] == TENANT_KIND]
    uid: str = owners[0] if owners else metadata.get("labels", {}).get(TENANT_UID_LABEL, "")
    return uid


def _child(kind: str, resource: Resource, content: bytes) -> Child:
    metadata = resource["metadata"]
    return Child(
        uid=metadata["uid"],
        resource_version=int(metadata["resourceVersion"]),
        content=blake2b(content, digest_size=16).digest(),
        in_sync_with=None,
        live=None,
        state=packed(_state(kind, resource)) if kind in _KINDS_WITH_STATE else None,
        leaving="deletionTimestamp" in metadata,
    )


def _compared(resource: Resource) -> bytes:
    """All of a resource that somebody may have wanted to be so, as JSON that is the same for the same content.

    No status, no bookkeeping of the API server.
    """
    metadata = {key: resource["metadata"][key] for key in _KEPT_METADATA if key in resource["metadata"]}
    kept = {key: value for key, value in resource.items() if key not in _VOLATILE} | {"metadata": metadata}
    return packed(kept, sort_keys=True)


def _state(kind: str, resource: Resource) -> dict[str, Any]:
    """What readiness looks at, and of a volume the size that it was asked for."""
    metadata, status = resource["metadata"], resource.get("status", {})
    if kind == "Deployment":
        return {"metadata": {"generation": metadata.get("generation", 0)}, "status": status}
    asked = {"resources": resource.get("spec", {}).get("resources", {})}
    return {"metadata": {"creationTimestamp": metadata.get("creationTimestamp")}, "spec": asked, "status": status}
