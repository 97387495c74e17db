"""What is known of the tenants' children: little per child, enough to see at once that nothing has to be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from sys import intern
from typing import Any, Final, TypeAlias

import orjson

from pieced_operator.desired.drift import differs
from pieced_operator.desired.manifest import Manifest
from pieced_operator.live_child import LiveChild
from pieced_operator.names import MANIFEST_CHECKSUM_ANNOTATION

ChildKey: TypeAlias = tuple[str, str]
"""Kind and name: a tenant has one namespace, and of each kind one child of a name."""

_KIND: Final = frozenset({"apiVersion", "kind"})  # the items of a list do not have them
_GONE_LIMIT: Final = 10_000
_LATEST: Final = 2**63


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

    def saw(self, kind: str, seen: LiveChild) -> str | None:
        """Take note of a child as it is now; returns its tenant's uid when that tenant's reconciliation may change."""
        metadata = seen.metadata
        tenant_uid = metadata.tenant_uid()
        key, version = (kind, intern(metadata.name)), int(metadata.resource_version)
        known = self._of.get(tenant_uid, {}).get(key)
        if version <= max(self._gone.get(metadata.uid, 0), known.resource_version if known else 0):
            return None
        content = seen.content()
        child = _child(kind, seen, content)
        if known is None or known.uid != child.uid or known.content != child.content:
            child.live = content
        else:
            child.in_sync_with, child.live = known.in_sync_with, known.live
        self._of.setdefault(tenant_uid, {})[key] = child
        nothing_new = known is not None and child.live is None and child.state == known.state
        return None if nothing_new else tenant_uid

    def applied(self, kind: str, manifest: Manifest, answer: LiveChild) -> None:
        """Take note of a child that we have just applied: it fulfils the manifest.

        Where the watch was faster than the answer, what it saw is newer and stays: it will be compared, or made anew.
        """
        tenant_uid, key = answer.metadata.tenant_uid(), (kind, manifest["metadata"]["name"])
        child = _child(kind, answer, answer.content())
        child.in_sync_with = checksum(manifest)
        known = self.of(tenant_uid).get(key)
        is_latest = known is None or known.resource_version <= child.resource_version
        if is_latest and child.resource_version > self._gone.get(child.uid, 0):
            self._of.setdefault(tenant_uid, {})[key] = child

    def deleted(self, tenant_uid: str, key: ChildKey, uid: str) -> None:
        """Forget a child that we have deleted and that is gone: whatever still arrives of it is older."""
        self._note_gone(uid, _LATEST)
        self._forget(tenant_uid, key, uid)

    def vanished(self, kind: str, last: LiveChild) -> str | None:
        """Forget a child that was deleted, or lost our label; returns its tenant's uid if it was known."""
        metadata = last.metadata
        tenant_uid = metadata.tenant_uid()
        self._note_gone(metadata.uid, int(metadata.resource_version))
        return tenant_uid if self._forget(tenant_uid, (kind, metadata.name), metadata.uid) else None

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

    def in_sync(self, tenant_uid: str, manifest: Manifest) -> bool:
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

    def _note_gone(self, uid: str, resource_version: int) -> None:
        self._gone[uid] = resource_version
        if len(self._gone) > _GONE_LIMIT:
            del self._gone[next(iter(self._gone))]

    def _forget(self, tenant_uid: str, key: ChildKey, uid: str) -> bool:
        children = self._of.get(tenant_uid, {})
        if key not in children or children[key].uid != uid:
            return False
        del children[key]
        if not children:
            del self._of[tenant_uid]
        return True


def checksum(manifest: Manifest) -> str:
    """What identifies a manifest that we want: it carries its own checksum."""
    annotated: str = manifest["metadata"]["annotations"][MANIFEST_CHECKSUM_ANNOTATION]
    return annotated


def _child(kind: str, seen: LiveChild, content: bytes) -> Child:
    metadata = seen.metadata
    return Child(
        uid=metadata.uid,
        resource_version=int(metadata.resource_version),
        content=blake2b(content, digest_size=16).digest(),
        in_sync_with=None,
        live=None,
        state=seen.state(kind),
        leaving=metadata.deletion_timestamp is not None,
    )
