"""What the API server's audit log says was committed: every version of every tenant, and the catalogue.

The log has traps. A write that changed nothing is answered with the version that was there. A dry run is answered with
a version that never was. Who removes the last finalizer of a leaving object is answered with the version before. A
delete without finalizers is answered with a Status that has nothing but the uid. Lines are in the order in which
requests ended, not in the order of their commits: the resource version has that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
TENANTS, PACKAGES = "piecedtenants", "piecedpackages"


@dataclass(frozen=True)
class Version:
    """One committed version of a tenant.

    The write was asked for at `received` and answered by `answered`. The other instants are whole seconds of the API
    server: those in `suspend_at`, `packages_at` and `org_at` are of the writers that own the field, `dated_at` is the
    latest that the version bears at all. `removed`: the object exists no more, and this was its last version.
    """

    uid: str
    name: str
    resource_version: int
    generation: int
    org: str | None
    suspended: bool
    packages: frozenset[str]
    created_at: datetime
    deleted_at: datetime | None
    suspend_at: frozenset[datetime]
    packages_at: frozenset[datetime]
    org_at: frozenset[datetime]
    dated_at: datetime
    received: datetime
    answered: datetime
    removed: bool = False


@dataclass(frozen=True)
class Removal:
    """A tenant was removed at once, by a request between these instants."""

    received: datetime
    answered: datetime


@dataclass(frozen=True)
class Entry:
    """A package came into the catalogue."""

    created_at: datetime
    received: datetime
    answered: datetime


@dataclass
class Witnessed:
    """The whole log. Versions of a tenant are in the order of the log."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    removals: dict[str, Removal] = field(default_factory=dict)
    catalogue: dict[str, Entry] = field(default_factory=dict)


def witnessed(entries: Iterable[Json]) -> Witnessed:
    """Read the completed requests of an audit log."""
    found = Witnessed()
    for entry in entries:
        resource = (entry.get("objectRef") or {}).get("resource")
        if resource in (TENANTS, PACKAGES) and _committed(entry):
            _take(found, resource, entry)
    return found


def _committed(entry: Json) -> bool:
    asked = entry.get("requestObject")
    options = asked if isinstance(asked, dict) else {}
    dry = "dryRun=" in entry["requestURI"] or bool(options.get("kind") == "DeleteOptions" and options.get("dryRun"))
    return entry["responseStatus"].get("code", 0) in (200, 201) and not dry


def _take(found: Witnessed, resource: str, entry: Json) -> None:
    answer = entry["responseObject"]
    received, answered = _instant(entry["requestReceivedTimestamp"]), _instant(entry["stageTimestamp"])
    kind = answer["kind"]
    if kind == "Status":
        if resource == TENANTS:
            found.removals[answer["details"]["uid"]] = Removal(received, answered)
    elif kind == "PiecedPackage":
        created_at = _instant(answer["metadata"]["creationTimestamp"])
        found.catalogue.setdefault(answer["metadata"]["name"], Entry(created_at, received, answered))
    elif kind == "PiecedTenant":
        version = _version(answer, received, answered)
        found.versions.setdefault(version.uid, []).append(version)
    else:
        raise ValueError(f"the audit log has a {kind}, which cannot be read: {entry['requestURI']}")


def _version(resource: Json, received: datetime, answered: datetime) -> Version:
    metadata, spec = resource["metadata"], resource["spec"]
    deleted = metadata.get("deletionTimestamp")

    fields = metadata.get("managedFields", ())
    created_at = _instant(metadata["creationTimestamp"])

    def owned(*path: str) -> frozenset[datetime]:
        return frozenset(
            _instant(entry["time"]) for entry in fields if "time" in entry and _has(entry.get("fieldsV1") or {}, path)
        )

    return Version(
        uid=metadata["uid"],
        name=metadata["name"],
        resource_version=int(metadata["resourceVersion"]),
        generation=metadata["generation"],
        org=metadata.get("labels", {}).get("pieced.ch/org-id"),
        suspended=spec["suspend"],
        packages=frozenset(spec["packages"]),
        created_at=created_at,
        deleted_at=_instant(deleted) if deleted else None,
        suspend_at=owned("f:spec", "f:suspend"),
        packages_at=owned("f:spec", "f:packages"),
        org_at=owned("f:metadata", "f:labels", "f:pieced.ch/org-id"),
        dated_at=max([created_at, *(_instant(entry["time"]) for entry in fields if "time" in entry)]),
        received=received,
        answered=answered,
        removed=bool(deleted) and not metadata.get("finalizers"),
    )


def _has(fields: Json, path: tuple[str, ...]) -> bool:
    for key in path:
        if key not in fields:
            return False
        fields = fields[key]
    return True


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
