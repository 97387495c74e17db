"""Whether a tenant's workloads run as they should, and what is still missing, in Kubernetes' own words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pieced_operator.desired.manifest import Manifest

Live = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What keeps a tenant from being ready: what time will bring, and what it will not."""

    waiting: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """True when nothing is missing."""
        return not self.waiting and not self.stuck


def readiness(desired: Iterable[Manifest], live: Callable[[str, str], Live | None]) -> Readiness:
    """Whether every wanted Deployment is available and the volume Bound; `live` finds an object by kind and name."""
    manifests = list(desired)
    deployments = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    anything_runs = any(manifest["spec"]["replicas"] for manifest in deployments)
    parts = [_deployment(manifest, live("Deployment", manifest["metadata"]["name"])) for manifest in deployments]
    for manifest in manifests:
        # Many storage classes bind a volume only when a pod uses it: a suspended tenant need not have one.
        if manifest["kind"] == "PersistentVolumeClaim" and anything_runs:
            name = manifest["metadata"]["name"]
            parts.append(_volume(name, live("PersistentVolumeClaim", name)))
    return Readiness(
        waiting=tuple(text for part in parts for text in part.waiting),
        stuck=tuple(text for part in parts for text in part.stuck),
    )


def _deployment(desired: Manifest, live: Live | None) -> Readiness:
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
        return Readiness()
    conditions = {condition["type"]: condition for condition in status.get("conditions", ())}
    failure = conditions.get("ReplicaFailure", {})
    progress = conditions.get("Progressing", {})
    if failure.get("status") == "True":
        return Readiness(waiting=(f"Deployment {name}: {failure['message']}",))
    if progress.get("status") == "False":
        return Readiness(stuck=(f"Deployment {name}: {progress['message']}",))
    message = progress.get("message") or "waits for its pods."
    return Readiness(waiting=(f"Deployment {name}: {message}",))


def _rolled_out(status: Live, wanted: int) -> bool:
    """Whether exactly the wanted replicas exist, all of the latest template and available."""
    return all(status.get(count, 0) == wanted for count in ("replicas", "updatedReplicas", "availableReplicas"))


def _volume(name: str, live: Live | None) -> Readiness:
    phase = live.get("status", {}).get("phase", "Pending") if live else None
    match phase:
        case "Bound":
            return Readiness()
        case None:
            return Readiness(waiting=(f"PersistentVolumeClaim {name} does not exist yet.",))
        case "Lost":
            return Readiness(stuck=(f"PersistentVolumeClaim {name} has lost its volume.",))
        case _:
            return Readiness(waiting=(f"PersistentVolumeClaim {name} is {phase}.",))
