"""A child as the API server writes it, of which most is never taken apart.

Half of its JSON is bookkeeping (`managedFields`), which is skipped. What may have to be compared stays JSON: a start
reads a hundred thousand children and more, and looks into each once.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from pieced_operator.names import TENANT_KIND, TENANT_UID_LABEL
from pieced_operator.shape import Shape

_ABSENT: Final = msgspec.Raw()


class Metadata(msgspec.Struct, rename="camel"):
    """What is looked at of an object's metadata, and as JSON what somebody may have wanted to be so."""

    uid: str = ""
    name: str = ""
    resource_version: str = ""
    namespace: str | None = None
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: msgspec.Raw = _ABSENT
    annotations: msgspec.Raw = _ABSENT
    owner_references: msgspec.Raw = _ABSENT

    def label(self, key: str) -> str:
        """The value of a label, empty where there is none."""
        return _LABELS.decode(self.labels).get(key, "") if self.labels else ""

    def tenant_uid(self) -> str:
        """The uid of the tenant that it belongs to: by its owner, by its label where somebody removed the owner."""
        owners = _OWNERS.decode(self.owner_references) if self.owner_references else []
        return next((owner.uid for owner in owners if owner.kind == TENANT_KIND), "") or self.label(TENANT_UID_LABEL)

    def content(self) -> bytes:
        """The JSON of what somebody may have wanted to be so."""
        texts = (("name", self.name), ("namespace", self.namespace), ("deletionTimestamp", self.deletion_timestamp))
        fields = [(name, msgspec.json.encode(text)) for name, text in texts if text is not None]
        raw = (("labels", self.labels), ("annotations", self.annotations), ("ownerReferences", self.owner_references))
        return _json_object([*fields, *raw])


class LiveChild(msgspec.Struct, rename="camel"):
    """A live object of one of CHILD_KINDS, with all that `desired_children` wants of any; a bookmark has less."""

    metadata: Metadata
    spec: msgspec.Raw = _ABSENT
    data: msgspec.Raw = _ABSENT
    automount_service_account_token: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT

    def content(self) -> bytes:
        """The JSON of all that somebody may have wanted to be so: the same bytes as long as it is the same."""
        automount = self.automount_service_account_token
        return _json_object(
            [
                ("metadata", self.metadata.content()),
                ("spec", self.spec),
                ("data", self.data),
                ("automountServiceAccountToken", automount),
            ]
        )

    def state(self, kind: str) -> bytes | None:
        """The JSON of what readiness looks at, and of a volume the size that it was asked for; None for other kinds."""
        metadata = self.metadata
        if kind == "Deployment":
            looked_at = _json_object([("generation", b"%d" % metadata.generation)])
            return _json_object([("metadata", looked_at), ("status", self.status or b"{}")])
        if kind == "PersistentVolumeClaim":
            looked_at = _json_object([("creationTimestamp", msgspec.json.encode(metadata.creation_timestamp))])
            resources = _CLAIM.decode(self.spec).resources if self.spec else _ABSENT
            asked = _json_object([("resources", resources or b"{}")])
            return _json_object([("metadata", looked_at), ("spec", asked), ("status", self.status or b"{}")])
        return None


class _Owner(msgspec.Struct):
    kind: str
    uid: str


class _Claim(msgspec.Struct):
    resources: msgspec.Raw = _ABSENT


_OWNERS: Final = msgspec.json.Decoder(list[_Owner])
_LABELS: Final = msgspec.json.Decoder(dict[str, str])
_CLAIM: Final = msgspec.json.Decoder(_Claim)

LIVE_CHILD: Final = Shape(LiveChild)
"""How children are read."""


def _json_object(fields: Iterable[tuple[str, bytes | msgspec.Raw]]) -> bytes:
    """The fields as a JSON object, without those that are absent."""
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), value) for name, value in fields if value)
