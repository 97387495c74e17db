"""Ready: the Deployments are available and the volume is Bound. Anything else is said in Kubernetes' own words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_operator.desired.children import desired_children
from pieced_operator.desired.settings import Settings
from pieced_operator.readiness import Failure, Readiness, Trouble, readiness
from tests.tenants import tenant

AVAILABLE = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
BOUND = {"phase": "Bound"}
CREATED_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def judged(
    deployment: dict[str, Any] | None,
    volume: dict[str, Any] | None,
    *,
    suspend: bool = False,
    trouble: Trouble | None = None,
    after: timedelta = timedelta(0),
) -> Readiness:
    """The readiness of a tenant whose assistant and volume have these statuses; None: there is no such object."""
    live = {
        "Deployment": deployment is not None and {"metadata": {"generation": 3}, "status": deployment},
        "PersistentVolumeClaim": volume is not None
        and {"metadata": {"creationTimestamp": "2026-03-01T09:00:00Z"}, "status": volume},
    }
    wanted = desired_children(tenant(spec={"suspend": suspend}), {}, Settings())
    troubles = {"assistant": trouble} if trouble else {}
    return readiness(wanted, lambda kind, _: live[kind] or None, troubles, CREATED_AT + after)


def condition(kind: str, status: str, message: str, reason: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "message": message, "reason": reason}]}


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
    found = judged(deployment, volume)
    assert (found.waiting, found.stuck) == ((waiting,), ())


def test_a_rollout_past_its_deadline_and_a_lost_volume_are_stuck() -> None:
    late = {"observedGeneration": 3} | condition("Progressing", "False", 'ReplicaSet "x" has timed out progressing.')
    found = judged(late, {"phase": "Lost"})
    assert found.waiting == ()
    assert found.stuck == (
        'Deployment assistant: ReplicaSet "x" has timed out progressing.',
        "PersistentVolumeClaim workspace has lost its volume.",
    )
    assert [failure.reason for failure in found.failures] == ["ProgressDeadlineExceeded", "ClaimLost"]


def test_a_suspended_tenant_is_ready_when_nothing_runs_even_if_its_volume_was_never_used() -> None:
    assert judged({"observedGeneration": 3}, {"phase": "Pending"}, suspend=True).ready
    stopping = judged(AVAILABLE, BOUND, suspend=True)
    assert stopping == Readiness(waiting=("Deployment assistant is stopping.",))


PULLING = Trouble(
    "ImagePullBackOff", 'container assistant: Back-off pulling image "x"', CREATED_AT + timedelta(seconds=5)
)
STARTING = {"observedGeneration": 3} | condition("Progressing", "True", 'ReplicaSet "x" is progressing.')


def test_a_pod_in_trouble_is_a_failure_of_its_deployment_once_it_is_not_merely_starting() -> None:
    young = judged(STARTING, BOUND, trouble=PULLING)
    assert young == Readiness(
        waiting=('Deployment assistant: ReplicaSet "x" is progressing.',), look_again_at=PULLING.told_from
    )
    told = judged(STARTING, BOUND, trouble=PULLING, after=timedelta(seconds=5))
    assert told == Readiness(
        waiting=(f"Deployment assistant: {PULLING.message}",),
        failures=(Failure("Deployment", "assistant", "ImagePullBackOff", PULLING.message),),
    )


def test_what_keeps_pods_from_being_made_comes_before_what_is_wrong_with_those_there_are() -> None:
    refused = {"observedGeneration": 3} | condition("ReplicaFailure", "True", "exceeded quota", "FailedCreate")
    found = judged(refused, BOUND, trouble=PULLING, after=timedelta(minutes=1))
    assert found.failures == (Failure("Deployment", "assistant", "FailedCreate", "exceeded quota"),)


def test_a_deployment_that_is_available_does_not_fail_whatever_an_old_pod_says() -> None:
    assert judged(AVAILABLE, BOUND, trouble=PULLING, after=timedelta(minutes=1)) == Readiness()


def test_a_volume_that_does_not_come_fails_after_a_while() -> None:
    at_first = judged(AVAILABLE, {"phase": "Pending"})
    assert (at_first.failures, at_first.look_again_at) == ((), CREATED_AT + timedelta(seconds=15))
    later = judged(AVAILABLE, {"phase": "Pending"}, after=timedelta(seconds=15))
    assert later.failures == (
        Failure("PersistentVolumeClaim", "workspace", "Pending", "PersistentVolumeClaim workspace is Pending."),
    )


def test_a_volume_that_cannot_grow_fails_and_the_tenant_is_ready() -> None:
    found = judged(AVAILABLE, BOUND | condition("ControllerResizeError", "True", "no space left", "ResizeFailed"))
    assert found.ready
    assert found.failures == (Failure("PersistentVolumeClaim", "workspace", "ResizeFailed", "no space left"),)
