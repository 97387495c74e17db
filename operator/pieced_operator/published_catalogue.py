"""The ids of the catalogue as a ConfigMap: the parameter of the admission policy that refuses unknown packages."""

import time
from typing import Final

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.catalogue import Catalogue
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.names import COMPONENT_LABEL, OPERATOR_NAMESPACE

NAME: Final = "pieced-catalogue"
_CONFIG_MAPS: Final = f"{paths.NAMESPACES}/{OPERATOR_NAMESPACE}/configmaps"
_LABELS: Final = {COMPONENT_LABEL: "catalogue"}
_BELIEVED_SECONDS: Final = 60.0
"""Others may change or remove it: each sweep asks for every package's turn, and the first of these reads it again."""
_SELECTOR: Final = f"{COMPONENT_LABEL}=catalogue"


class PublishedCatalogue:
    """Keeps the ConfigMap at what the catalogue has: a key for each package, its display name as value."""

    def __init__(self, cluster: Cluster, catalogue: Catalogue) -> None:
        self._cluster = cluster
        self._catalogue = catalogue
        self._published: dict[str, str] | None = None
        self._read_at = 0.0

    async def publish(self) -> None:
        """Write it if it says something else, or is gone. Raises ApiRefused and Unavailable."""
        wanted = {name: package.spec.display_name for name, package in self._catalogue.packages.items()}
        if self._published is None or time.monotonic() - self._read_at > _BELIEVED_SECONDS:
            self._published = await self._read()
            self._read_at = time.monotonic()
        if wanted == self._published:
            return
        faults.point("catalogue.before_apply")
        body: Resource = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": OPERATOR_NAMESPACE, "labels": _LABELS},
            "data": wanted,
        }
        await self._cluster.apply(f"{_CONFIG_MAPS}/{NAME}", body)
        faults.point("catalogue.after_apply")
        self._published = wanted

    async def _read(self) -> dict[str, str]:
        """What it says now; by its label, for the operator may list ConfigMaps and not get them."""
        found = [one async for page in self._cluster.pages(_CONFIG_MAPS, _SELECTOR) for one in page.items]
        return next((one.get("data") or {} for one in found if one["metadata"]["name"] == NAME), {})
