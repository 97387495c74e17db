"""Whether a tenant's workloads run as they should, and what is still missing, in Kubernetes' own words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from pieced_operator.desired.manifest import Manifest

Live = Mapping[str, Any]

_BINDING: Final = timedelta(seconds=15)
"""So long a volume may take before it is said that it fails."""

_RESIZE_FAILED: Final = frozenset({"ControllerResizeError", "NodeResizeError"})


class Trouble(NamedTuple):
    """Why a pod does not run, and from when on that is worth saying."""

    reason: str
    message: str
    told_from: datetime


class Failure(NamedTuple):
    """A child that is not what it should be, and why: a word and Kubernetes' own sentence."""

    kind: str
    name: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """What keeps a tenant from being ready: what time will bring, and what it will not.

    `failures` are the children that fail, whether or not time may mend them. At `look_again_at` there may be more to
    say although nothing has changed.
    """

    waiting: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    look_again_at: datetime | None = None

    @property
    def ready(self) -> bool:
        """True when nothing is missing."""
        return not self.waiting and not self.stuck


_READY: Final = Readiness()


def readiness(
    desired: Iterable[Manifest],
    live: Callable[[str, str], Live | None],
    troubles: Mapping[str, Trouble],
    now: datetime,
) -> Readiness:
    """Whether every wanted Deployment is available and the volume Bound.

    `live` finds an object by kind and name, `troubles` are those of pods by the name of their Deployment.
    """
    manifests = list(desired)
    deployments = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Deployment"}
    parts = [
        _deployment(manifest, live("Deployment", name), troubles.get(name), now)
        for name, manifest in deployments.items()
    ]
    # Many storage classes bind a volume only when a pod uses it: a suspended tenant need not have one.
    if any(manifest["spec"]["replicas"] for manifest in deployments.values()):
        volumes = (one["metadata"]["name"] for one in manifests if one["kind"] == "PersistentVolumeClaim")
        parts.extend(_volume(name, live("PersistentVolumeClaim", name), now) for name in volumes)
    return Readiness(
        waiting=tuple(chain.from_iterable(part.waiting for part in parts)),
        stuck=tuple(chain.from_iterable(part.stuck for part in parts)),
        failures=tuple(chain.from_iterable(part.failures for part in parts)),
        look_again_at=min((part.look_again_at for part in parts if part.look_again_at), default=None),
    )


def _deployment(desired: Manifest, live: Live | None, trouble: Trouble | None, now: datetime) -> Readiness:
    name = desired["metadata"]["name"]
    if live is None:
        return Readiness(waiting=(f"Deployment {name} does not exist yet.",))
    status = live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return Readiness(waiting=(f"Deployment {name} has not been seen by its controller yet.",))
    wanted = desired["spec"]["replicas"]
    if wanted == 0:
        return Readiness(waiting=(f"Deployment {name} is stopping.",) if status.get("replicas") else ())
    if _rolled_out(status, wanted):
        return _READY
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    progress = conditions.get("Progressing", {})
    told = trouble if trouble is not None and trouble.told_from <= now else None
    failure = _deployment_failure(name, conditions, told)
    message = failure.message if failure else progress.get("message") or "waits for its pods."
    text = (f"Deployment {name}: {message}",)
    is_stuck = progress.get("status") == "False" and conditions.get("ReplicaFailure", {}).get("status") != "True"
    return Readiness(
        waiting=() if is_stuck else text,
        stuck=text if is_stuck else (),
        failures=(failure,) if failure else (),
        look_again_at=trouble.told_from if trouble is not None and told is None else None,
    )


def _deployment_failure(name: str, conditions: Mapping[str, Live], trouble: Trouble | None) -> Failure | None:
    """What is wrong, by whoever knows best: the pods cannot be made, do not run, or just do not come."""
    if (refused := conditions.get("ReplicaFailure", {})).get("status") == "True":
        return Failure("Deployment", name, refused.get("reason") or "ReplicaFailure", refused["message"])
    if trouble is not None:
        return Failure("Deployment", name, trouble.reason, trouble.message)
    if (late := conditions.get("Progressing", {})).get("status") == "False":
        return Failure("Deployment", name, late.get("reason") or "ProgressDeadlineExceeded", late["message"])
    return None


def _rolled_out(status: Live, wanted: int) -> bool:
    """Whether exactly the wanted replicas exist, all of the latest template and available."""
    return all(status.get(count, 0) == wanted for count in ("replicas", "updatedReplicas", "availableReplicas"))


def _volume(name: str, live: Live | None, now: datetime) -> Readiness:
    if live is None:
        return Readiness(waiting=(f"PersistentVolumeClaim {name} does not exist yet.",))
    status = live.get("status", {})
    match status.get("phase", "Pending"):
        case "Bound":
            return Readiness(failures=tuple(_resize_failures(name, status)))
        case "Lost":
            text = f"PersistentVolumeClaim {name} has lost its volume."
            return Readiness(stuck=(text,), failures=(Failure("PersistentVolumeClaim", name, "ClaimLost", text),))
        case phase:
            return _unbound(name, f"PersistentVolumeClaim {name} is {phase}.", live, now)


def _unbound(name: str, text: str, live: Live, now: datetime) -> Readiness:
    """A volume that does not come; why, only Kubernetes' Events can tell."""
    late_from = datetime.fromisoformat(live["metadata"]["creationTimestamp"]) + _BINDING
    if now < late_from:
        return Readiness(waiting=(text,), look_again_at=late_from)
    return Readiness(waiting=(text,), failures=(Failure("PersistentVolumeClaim", name, "Pending", text),))


def _resize_failures(name: str, status: Live) -> Iterable[Failure]:
    for condition in status.get("conditions", ()):
        if condition["type"] in _RESIZE_FAILED and condition["status"] == "True":
            message = condition.get("message") or "The volume cannot be resized."
            yield Failure("PersistentVolumeClaim", name, condition.get("reason") or condition["type"], message)
