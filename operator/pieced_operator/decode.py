"""Pure: what one delivered version of a PiecedTenant says to the ledger, and when it was said.

`metadata.managedFields` holds one entry per writer with the time, to the second, of its last write: the writer that
owns a field had set it by then. For a version that is seen as it is written that is the write itself, later a bound.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pieced_operator.conditions import NAMESPACE_CONFLICT, ORGANISATION_MISSING, RESOURCE_INVALID, stalled_for
from pieced_operator.names import BILLING_FINALIZER, FIELD_MANAGER, LEDGER_ID_ANNOTATION
from pieced_operator.schema import ResourceInvalid
from pieced_operator.tenant import decode_tenant


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a PiecedTenant: what the ledger wants to know, without Kubernetes' forms. Instants are aware UTC.

    `org` is the organisation label as it is now; `labelled_at` bounds when it was set, `labelled_later` says that this
    was not the write that created the tenant. `packages` are those of the spec, in the catalogue or not.

    `accepted`: the operator has taken the tenant on before (its finalizer is there), for `organisation`; `refused_for`
    is why it did not, by the status that it wrote. `marked`: it bears the id by which it is known again when a backup
    of it is restored; `restored_from` is the uid that it had at first, where that was another one. `keeps_unrecorded`:
    its status keeps versions that the ledger was not told. `served`: the operator does what it orders, as far as its
    spec fits the schema. `gone`: the object exists no more, this was its last state.

    Every `…_at` is the earliest time by which the API server says that it was so, None where it is silent.
    """

    uid: str
    name: str
    resource_version: str
    generation: int
    org: str | None
    labelled_at: datetime | None
    labelled_later: bool
    created_at: datetime
    deleted_at: datetime | None
    suspended: bool
    suspend_changed_at: datetime | None
    packages: frozenset[str]
    packages_changed_at: datetime | None
    written_at: datetime
    manager: str | None
    accepted: bool
    organisation: str | None
    refused_for: str | None
    marked: bool
    restored_from: str | None
    keeps_unrecorded: bool
    served: bool
    gone: bool


def decode_version(resource: Mapping[str, Any], org_label: str, *, gone: bool = False) -> Version:
    """The version that a PiecedTenant's JSON is, as the API server delivered it."""
    metadata, spec = resource["metadata"], resource.get("spec") or {}
    status = resource.get("status") or {}
    writes = tuple(_writes(metadata))
    created_at = _instant(metadata["creationTimestamp"])
    uid, name = metadata["uid"], metadata["name"]
    first_uid = first_uid_of((metadata.get("annotations") or {}).get(LEDGER_ID_ANNOTATION), name)
    return Version(
        uid=uid,
        name=name,
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        org=(metadata.get("labels") or {}).get(org_label) or None,
        labelled_at=_set_at(writes, "f:metadata", "f:labels", f"f:{org_label}"),
        labelled_later=_labelled_later(writes, org_label, created_at),
        created_at=created_at,
        deleted_at=_instant(deleted) if (deleted := metadata.get("deletionTimestamp")) else None,
        suspended=bool(spec.get("suspend")),
        suspend_changed_at=_set_at(writes, "f:spec", "f:suspend"),
        packages=frozenset(spec.get("packages") or ()),
        packages_changed_at=_set_at(writes, "f:spec", "f:packages"),
        written_at=max([created_at, *(write.at for write in writes)]),
        manager=_author(writes),
        accepted=BILLING_FINALIZER in (metadata.get("finalizers") or ()),
        organisation=status.get("organisation"),
        refused_for=stalled_for(status),
        marked=first_uid is not None,
        restored_from=first_uid if first_uid != uid else None,
        keeps_unrecorded=bool(status.get("unrecorded")),
        served=_is_served(resource, status),
        gone=gone,
    )


def mended(version: Version) -> Version:
    """A version that is served after one that was not: what it orders counts from the write that mended it."""
    at = version.written_at
    return replace(
        version,
        suspend_changed_at=version.suspend_changed_at and at,
        packages_changed_at=version.packages_changed_at and at,
    )


def ledger_id(name: str, uid: str) -> str:
    """What a tenant is known by for good, as the operator writes it when it takes the tenant on."""
    return f"{name}/{uid}"


def first_uid_of(ledger_id: str | None, name: str) -> str | None:
    """The uid that a tenant had when it was taken on; None where it bears no id, or a copy of another tenant's."""
    of_name, _, uid = (ledger_id or "").partition("/")
    return uid if uid and of_name == name else None


@dataclass(frozen=True, slots=True)
class Beginning:
    """Since when a tenant exists for the ledger; where only a trace is left of that, between `not_before` and `at`."""

    at: datetime
    not_before: datetime | None = None


def existed_from(version: Version, refused_for: str | None, accepted_at: datetime, *, as_written: bool) -> Beginning:
    """Since when an accepted tenant exists for the ledger, by the first version that is told of it.

    That is its creation; for one that got its organisation later the write of the label, for one that did not fit the
    schema the write that mended it; for one whose namespace was taken the moment at which it was free. `as_written`
    says that a watch delivered the version as it was written: the labelling, or the mending, is that very write, or
    before it; else whoever did it may have written again since.
    """
    if refused_for == NAMESPACE_CONFLICT:
        return Beginning(accepted_at)
    if refused_for == RESOURCE_INVALID:
        return Beginning(version.written_at, None if as_written else version.created_at)
    if refused_for == ORGANISATION_MISSING or version.labelled_later:
        at = version.labelled_at or version.written_at
        return Beginning(at, None if as_written else version.created_at)
    return Beginning(version.created_at)


@dataclass(frozen=True, slots=True)
class _Write:
    """One entry of managedFields that has a time."""

    manager: str
    at: datetime
    fields: Mapping[str, Any]
    of_status: bool

    def owns(self, *path: str) -> bool:
        fields = self.fields
        for key in path:
            if key not in fields:
                return False
            fields = fields[key]
        return True


def _writes(metadata: Mapping[str, Any]) -> Iterator[_Write]:
    for entry in metadata.get("managedFields") or ():
        if at := entry.get("time"):  # an apply that took ownership without a change has none
            yield _Write(entry["manager"], _instant(at), entry.get("fieldsV1") or {}, "subresource" in entry)


def _set_at(writes: tuple[_Write, ...], *path: str) -> datetime | None:
    """By when the field had its value: who changes it becomes its only owner, who joins later is later."""
    return min((write.at for write in writes if write.owns(*path)), default=None)


def _labelled_later(writes: tuple[_Write, ...], label: str, created_at: datetime) -> bool:
    """Whether a write other than the creation set the label, as far as can be told.

    The creator owns the display name, which is required. When the same writer owns the label, its time may come from
    any later change, and the tenant counts as labelled from the beginning.
    """
    owners = [write for write in writes if write.owns("f:metadata", "f:labels", f"f:{label}")]
    return bool(owners) and all(write.at > created_at and not write.owns("f:spec", "f:displayName") for write in owners)


def _is_served(resource: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Whether the spec fits the schema; of a generation that was worked on the status says so already."""
    if status.get("observedGeneration") == resource["metadata"].get("generation", 0):
        return stalled_for(status) != RESOURCE_INVALID
    try:
        decode_tenant(resource)
    except ResourceInvalid:
        return False
    return True


def _author(writes: tuple[_Write, ...]) -> str | None:
    """Who wrote last, ourselves and status apart."""
    others = (write for write in writes if not write.of_status and write.manager != FIELD_MANAGER)
    latest = max(others, key=lambda write: write.at, default=None)
    return latest.manager if latest else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
