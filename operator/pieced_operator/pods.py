"""What keeps pods of tenants from running, in Kubernetes' own words: kept of those in trouble only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pieced_operator.cluster import Resource
from pieced_operator.names import ASSISTANT, COMPONENT_LABEL, PACKAGE_LABEL, TENANT_LABEL, namespace_of, package_child
from pieced_operator.readiness import Trouble

_GRACE: Final = timedelta(seconds=5)
"""A pod this young is only starting: what is wrong with it often goes by itself."""

_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
_PULLING: Final = frozenset({"ErrImagePull", "ImagePullBackOff"})


@dataclass(frozen=True, slots=True)
class _Troubled:
    tenant: str
    workload: str
    trouble: Trouble


class Pods:
    """The pods in trouble, by namespace and uid."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, _Troubled]] = {}

    def saw(self, pod: Resource) -> str | None:
        """Take note of a pod as it is now; returns its tenant's name when what is said of the tenant may change.

        A trouble stays as it was first told until the pod is ready or gone: kubelet alternates between trying and
        waiting, and words it differently each time.
        """
        metadata = pod["metadata"]
        namespace, uid = metadata["namespace"], metadata["uid"]
        tenant, workload = whose(pod)
        if tenant is None or workload is None:
            return None
        if "deletionTimestamp" in metadata or _is_ready(pod):
            return self.vanished(pod)
        before, now = self._of.get(namespace, {}).get(uid), trouble(pod)
        if now is None or (before is not None and _same(before.trouble.reason, now.reason)):
            return None
        self._of.setdefault(namespace, {})[uid] = _Troubled(tenant, workload, now)
        return tenant

    def vanished(self, pod: Resource) -> str | None:
        """Forget a pod; returns its tenant's name if it was in trouble."""
        namespace, uid = pod["metadata"]["namespace"], pod["metadata"]["uid"]
        return self._forget(namespace, uid)

    def keep_only(self, uids: set[str]) -> Iterator[str]:
        """After a full LIST: forget what was not in it; yields the names of the tenants concerned."""
        known = [(namespace, uid) for namespace, troubled in self._of.items() for uid in troubled]
        for namespace, uid in known:
            if uid not in uids and (tenant := self._forget(namespace, uid)):
                yield tenant

    def troubles(self, namespace: str) -> Mapping[str, Trouble]:
        """The trouble of each workload in a namespace that has one, by the name of its Deployment."""
        return {one.workload: one.trouble for one in self._of.get(namespace, {}).values()}

    def _forget(self, namespace: str, uid: str) -> str | None:
        of_namespace = self._of.get(namespace, {})
        forgotten = of_namespace.pop(uid, None)
        if forgotten is None:
            return None
        if not of_namespace:
            del self._of[namespace]
        return forgotten.tenant


def trouble(pod: Resource) -> Trouble | None:
    """What is wrong with a pod by its status; None where nothing is, or nothing yet."""
    status = pod.get("status", {})
    found = _waiting(status) or _unscheduled(status) or _failed(status)
    if found is None:
        return None
    told_from = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) + _GRACE
    return Trouble(*found, told_from)


def _waiting(status: Resource) -> tuple[str, str] | None:
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting", {})
        reason = waiting.get("reason")
        if reason and reason not in _STARTING:
            return reason, f"container {container['name']}: {waiting.get('message') or reason}"
    return None


def _unscheduled(status: Resource) -> tuple[str, str] | None:
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return condition.get("reason") or "Unschedulable", condition.get("message", "")
    return None


def _failed(status: Resource) -> tuple[str, str] | None:
    if status.get("phase") != "Failed":
        return None
    return status.get("reason") or "Failed", status.get("message") or "The pod has failed."


def _is_ready(pod: Resource) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _same(before: str, now: str) -> bool:
    return before == now or {before, now} <= _PULLING


def whose(pod: Resource) -> tuple[str | None, str | None]:
    """The tenant and the Deployment that a pod is of, by the labels that we gave it.

    A pod that bears our label in another namespace than its tenant's is nobody's.
    """
    labels = pod["metadata"].get("labels") or {}
    tenant = labels.get(TENANT_LABEL, "")
    if pod["metadata"]["namespace"] != namespace_of(tenant):
        return None, None
    if package := labels.get(PACKAGE_LABEL):
        return tenant, package_child(package)
    return tenant, ASSISTANT if labels.get(COMPONENT_LABEL) == ASSISTANT else None
