"""The Lease that decides which replica works; the ledger's row locks, not this, keep the ledger right."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from pieced_billing import faults
from pieced_billing.errors import Unavailable
from pieced_operator import metrics
from pieced_operator.api_errors import ApiRefused, NotFound
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.names import FIELD_MANAGER, OPERATOR_NAMESPACE
from pieced_operator.went_back import require_forward

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 8
_RENEW_SECONDS: Final = 2.0
_LEASES: Final = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases"
PATH: Final = f"{_LEASES}/{FIELD_MANAGER}"
_LEASE: Final = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": FIELD_MANAGER}}


class LeaseLost(Unavailable):
    """Another replica works: this one has to end."""

    def __init__(self) -> None:
        super().__init__("Another replica has the Lease and works now.")


class Lease:
    """Leader election as Kubernetes' own components do it: who renews holds, who falls silent is followed.

    Only our monotonic clock is looked at: a Lease is taken when its record has not changed for as long as it lasts.
    """

    def __init__(self, cluster: Cluster, identity: str) -> None:
        self._cluster = cluster
        self.identity = identity
        self._seen: tuple[str, float] | None = None  # resource version, since when
        self._held: Resource | None = None

    async def acquire(self) -> None:
        """Wait until this replica holds the Lease."""
        faults.point("lease.before_acquire")
        while not await self._try():
            await asyncio.sleep(_RENEW_SECONDS / 2)
        faults.point("lease.after_acquire")
        metrics.LEADER.set(1)
        log.info("lease acquired", identity=self.identity)

    async def keep(self, answers_again: Callable[[], None]) -> None:
        """Renew until cancelled; raises LeaseLost when another replica has the Lease, and ClusterWentBack.

        An API server that does not answer is waited for: who cannot reach it cannot write to it either, and gives up
        what waits for the ledger if it ends. `answers_again` is called when it answers after that: it may have come
        back with older data, and the Lease alone does not show that if nobody renewed it since these.
        """
        failed = False
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            faults.point("lease.before_renew")
            renewed = await self._try()
            if not renewed and self._held is None:
                metrics.LEADER.set(0)
                raise LeaseLost
            faults.point("lease.after_renew")
            if renewed and failed:
                log.info("lease renewed again", identity=self.identity)
                answers_again()
            failed = not renewed

    async def release(self) -> None:
        """Let the next replica begin at once."""
        if self._held is None:
            return
        body = {**self._held, "spec": {**self._held["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}}
        self._held = None
        metrics.LEADER.set(0)
        faults.point("lease.before_release")
        try:
            await self._cluster.replace(PATH, body)
            faults.point("lease.after_release")
        except (ApiRefused, Unavailable) as error:
            log.info("lease not released", error=str(error))

    async def _try(self) -> bool:
        """Take or renew the Lease; False when somebody else has it or the API server does not let us know.

        It may refuse for a moment when it has just started: it has not read everybody's rights by then.
        """
        try:
            lease = await self._cluster.get(PATH)
        except NotFound:
            return await self._take(lambda: self._cluster.create(_LEASES, {**_LEASE, "spec": self._spec({})}))
        except (ApiRefused, Unavailable) as error:
            log.warning("lease not read", error=str(error))
            return False
        self._require_forward(lease)
        if not self._is_free(lease):
            self._held = None
            return False
        return await self._take(lambda: self._cluster.replace(PATH, {**lease, "spec": self._spec(lease["spec"])}))

    async def _take(self, write: Callable[[], Awaitable[Resource]]) -> bool:
        try:
            taken = await write()
        except (ApiRefused, Unavailable) as error:
            log.warning("lease not written", error=str(error))
            return False
        self._require_forward(taken)
        self._held = taken
        return True

    def _require_forward(self, lease: Resource) -> None:
        """Raise ClusterWentBack when the API server has an older Lease than the one that we hold."""
        if self._held is not None:
            held, found = (int(one["metadata"]["resourceVersion"]) for one in (self._held, lease))
            require_forward(held, found)

    def _is_free(self, lease: Resource) -> bool:
        holder = lease["spec"].get("holderIdentity", "")
        version = lease["metadata"]["resourceVersion"]
        now = time.monotonic()
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        lasts = lease["spec"].get("leaseDurationSeconds", LEASE_SECONDS)
        return holder in ("", self.identity) or now - self._seen[1] > lasts

    def _spec(self, before: dict[str, Any]) -> dict[str, Any]:
        now = self._cluster.clock.latest(time.monotonic()).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        changes = before.get("holderIdentity") != self.identity
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": now if changes else before["acquireTime"],
            "renewTime": now,
            "leaseTransitions": before.get("leaseTransitions", 0) + changes,
        }
