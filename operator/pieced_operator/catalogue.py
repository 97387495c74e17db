"""The packages that exist, in memory, as the API server delivered them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from pieced_operator.names import IN_USE_FINALIZER
from pieced_operator.package import Package, decode_package
from pieced_operator.schema import ResourceInvalid

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One PiecedPackage: what it runs (None when it does not keep to the schema), and what is needed to edit it."""

    id: str
    uid: str
    resource_version: str
    created_at: datetime
    finalizers: tuple[str, ...]
    leaving: bool
    package: Package | None

    @property
    def in_use(self) -> bool:
        """Whether the finalizer that keeps it in the cluster is there."""
        return IN_USE_FINALIZER in self.finalizers


class Catalogue:
    """Every PiecedPackage by its id. The mappings are replaced on change, never changed: hold on to them freely."""

    def __init__(self) -> None:
        self._entries: dict[str, CatalogueEntry] = {}
        self.packages: Mapping[str, Package] = {}
        self.catalogued_at: Mapping[str, datetime] = {}

    def entry(self, package_id: str) -> CatalogueEntry | None:
        """What is known of a package; None when there is none of that id."""
        return self._entries.get(package_id)

    def entries(self) -> tuple[CatalogueEntry, ...]:
        """Every package."""
        return tuple(self._entries.values())

    def saw(self, resource: Mapping[str, Any]) -> bool:
        """Take note of a package as it is now; returns whether that changes anything for tenants."""
        entry = _decode(resource)
        known = self._entries.get(entry.id)
        if known and known.uid == entry.uid and int(known.resource_version) >= int(entry.resource_version):
            return False
        self._entries[entry.id] = entry
        self._publish()
        return known is None or known.package != entry.package or known.created_at != entry.created_at

    def vanished(self, resource: Mapping[str, Any]) -> bool:
        """Forget a package that was deleted; returns whether it was known."""
        name, uid = resource["metadata"]["name"], resource["metadata"]["uid"]
        known = self._entries.get(name)
        if known is None or known.uid != uid:
            return False
        del self._entries[name]
        self._publish()
        return True

    def _publish(self) -> None:
        served = {name: entry for name, entry in self._entries.items() if entry.package is not None}
        self.packages = {name: entry.package for name, entry in served.items() if entry.package is not None}
        self.catalogued_at = {name: entry.created_at for name, entry in served.items()}


def _decode(resource: Mapping[str, Any]) -> CatalogueEntry:
    metadata = resource["metadata"]
    package: Package | None
    try:
        package = decode_package(resource)
    except ResourceInvalid as error:
        log.warning("package ignored", package=metadata["name"], error=str(error))
        package = None
    return CatalogueEntry(
        id=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        finalizers=tuple(metadata.get("finalizers", ())),
        leaving="deletionTimestamp" in metadata,
        package=package,
    )
