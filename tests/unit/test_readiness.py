"""Ready: the Deployments are available and the volume is Bound. Anything else is said in Kubernetes' own words."""

from typing import Any

import pytest

from pieced_operator.desired.children import desired_children
from pieced_operator.desired.settings import Settings
from pieced_operator.readiness import Readiness, readiness
from tests.tenants import tenant

AVAILABLE = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
BOUND = {"phase": "Bound"}


def judged(deployment: dict[str, Any] | None, volume: dict[str, Any] | None, *, suspend: bool = False) -> Readiness:
    """The readiness of a tenant whose assistant and volume have these statuses; None: there is no such object."""
    live = {
        "Deployment": deployment is not None and {"metadata": {"generation": 3}, "status": deployment},
        "PersistentVolumeClaim": volume is not None and {"metadata": {"generation": 1}, "status": volume},
    }
    wanted = desired_children(tenant(spec={"suspend": suspend}), {}, Settings())
    return readiness(wanted, lambda kind, _: live[kind] or None)


def condition(kind: str, status: str, message: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "message": message}]}


def test_ready() -> None:
    assert judged(AVAILABLE, BOUND).ready


@pytest.mark.parametrize(
    ("deployment", "volume", "waiting"),
    [
        (None, BOUND, "Deployment assistant does not exist yet."),
        ({}, BOUND, "Deployment assistant has not been seen by its controller yet."),
        (AVAILABLE | {"observedGeneration": 2}, BOUND, "Deployment assistant has not been seen by its controller yet."),
        (AVAILABLE | {"availableReplicas": 0}, BOUND, "Deployment assistant: waits for its pods."),
        (AVAILABLE | {"updatedReplicas": 0}, BOUND, "Deployment assistant: waits for its pods."),
        (AVAILABLE | {"replicas": 2}, BOUND, "Deployment assistant: waits for its pods."),
        (
            {"observedGeneration": 3} | condition("ReplicaFailure", "True", 'pods "x" is forbidden: exceeded quota'),
            BOUND,
            'Deployment assistant: pods "x" is forbidden: exceeded quota',
        ),
        (
            {"observedGeneration": 3} | condition("Progressing", "True", 'ReplicaSet "x" is progressing.'),
            BOUND,
            'Deployment assistant: ReplicaSet "x" is progressing.',
        ),
        (AVAILABLE, None, "PersistentVolumeClaim workspace does not exist yet."),
        (AVAILABLE, {}, "PersistentVolumeClaim workspace is Pending."),
        (AVAILABLE, {"phase": "Pending"}, "PersistentVolumeClaim workspace is Pending."),
    ],
)
def test_waiting_for(deployment: dict[str, Any] | None, volume: dict[str, Any] | None, waiting: str) -> None:
    assert judged(deployment, volume) == Readiness(waiting=(waiting,))


def test_a_rollout_past_its_deadline_and_a_lost_volume_are_stuck() -> None:
    late = {"observedGeneration": 3} | condition("Progressing", "False", 'ReplicaSet "x" has timed out progressing.')
    assert judged(late, {"phase": "Lost"}) == Readiness(
        stuck=(
            'Deployment assistant: ReplicaSet "x" has timed out progressing.',
            "PersistentVolumeClaim workspace has lost its volume.",
        )
    )


def test_a_suspended_tenant_is_ready_when_nothing_runs_even_if_its_volume_was_never_used() -> None:
    assert judged({"observedGeneration": 3}, {"phase": "Pending"}, suspend=True).ready
    stopping = judged(AVAILABLE, BOUND, suspend=True)
    assert stopping == Readiness(waiting=("Deployment assistant is stopping.",))
