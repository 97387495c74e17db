"""Parting with the operator: its finalizers go, so that tenants and packages can be deleted without it."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from pieced_billing import faults
from pieced_billing.errors import Refused
from pieced_operator import lease, paths
from pieced_operator.api_errors import Conflict, NotFound
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.finalizers import remove_finalizer
from pieced_operator.names import BILLING_FINALIZER, IN_USE_FINALIZER

_FINALIZERS = {paths.TENANTS: BILLING_FINALIZER, paths.PACKAGES: IN_USE_FINALIZER}


class OperatorRunning(Refused):
    """An operator would put the finalizers back."""

    code = "operator_running"

    def __init__(self, holder: str) -> None:
        super().__init__(f"The operator {holder} is running and would put the finalizers back; stop it first.")


@dataclass(frozen=True, slots=True)
class Released:
    """How many tenants and packages lost a finalizer."""

    tenants: int
    packages: int


async def bound(cluster: Cluster) -> Released:
    """How many tenants and packages a release would concern. Raises OperatorRunning."""
    await _require_no_operator(cluster)
    return Released(len(await _held(cluster, paths.TENANTS)), len(await _held(cluster, paths.PACKAGES)))


async def release(cluster: Cluster) -> Released:
    """Take the finalizers off everything. Raises OperatorRunning, ApiRefused and Unavailable; may be repeated."""
    await _require_no_operator(cluster)
    return Released(await _release(cluster, paths.TENANTS), await _release(cluster, paths.PACKAGES))


async def _release(cluster: Cluster, path: str) -> int:
    released = 0
    while held := await _held(cluster, path):
        for resource in held:
            faults.point("release.before_finalizer")
            try:
                await remove_finalizer(cluster, f"{path}/{resource['metadata']['name']}", resource, _FINALIZERS[path])
                faults.point("release.after_finalizer")
            except (Conflict, NotFound):  # it changed or went meanwhile: the next list says so
                continue
            released += 1
    return released


async def _held(cluster: Cluster, path: str) -> list[Resource]:
    return [
        resource
        async for page in cluster.pages(path)
        for resource in page.items
        if _FINALIZERS[path] in resource["metadata"].get("finalizers", ())
    ]


async def _require_no_operator(cluster: Cluster) -> None:
    try:
        spec = (await cluster.get(lease.PATH))["spec"]
    except NotFound:
        return
    if not spec.get("holderIdentity"):
        return
    renewed_at = datetime.fromisoformat(spec["renewTime"])
    if cluster.clock.latest(time.monotonic()) - renewed_at < timedelta(seconds=spec["leaseDurationSeconds"]):
        raise OperatorRunning(spec["holderIdentity"])
