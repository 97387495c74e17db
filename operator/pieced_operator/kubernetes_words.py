"""What an object does not say of itself: why a volume does not come stands in Kubernetes' Events about its claim."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pieced_billing.errors import Unavailable
from pieced_operator import paths
from pieced_operator.api_errors import ApiRefused
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.readiness import Failure, Readiness

_VOLUME: Final = "PersistentVolumeClaim"
_PENDING: Final = "Pending"
_LOOK_AGAIN: Final = timedelta(minutes=1)


async def in_kubernetes_words(cluster: Cluster, namespace: str, found: Readiness, now: datetime) -> Readiness:
    """The same with the latest Event about each volume that does not come, and a time at which to look again."""
    if not any(_does_not_come(failure) for failure in found.failures):
        return found
    failures = [
        await _explained(cluster, namespace, failure) if _does_not_come(failure) else failure
        for failure in found.failures
    ]
    again_at = min(found.look_again_at or now + _LOOK_AGAIN, now + _LOOK_AGAIN)
    return replace(found, failures=tuple(failures), look_again_at=again_at)


def _does_not_come(failure: Failure) -> bool:
    return (failure.kind, failure.reason) == (_VOLUME, _PENDING)


async def _explained(cluster: Cluster, namespace: str, failure: Failure) -> Failure:
    try:
        events = (await cluster.get(paths.events_about(failure.kind, failure.name, namespace)))["items"]
    except (ApiRefused, Unavailable):  # it can be said without the reason
        return failure
    if not events:
        return failure
    latest = max(events, key=_told_at)
    return failure._replace(reason=latest.get("reason") or _PENDING, message=latest.get("note") or failure.message)


def _told_at(event: Resource) -> str:
    """When an Event was last told: by its series, or as old and new clients write it."""
    series = event.get("series") or {}
    told_at = series.get("lastObservedTime") or event.get("deprecatedLastTimestamp") or event.get("eventTime")
    return str(told_at or event["metadata"]["creationTimestamp"])
