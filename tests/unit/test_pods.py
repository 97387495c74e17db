"""What is wrong with a pod, by its status, and for how long that is said."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pieced_operator.pods import Pods, trouble
from pieced_operator.readiness import Trouble

ASSISTANT = {"pieced.ch/tenant": "acme", "app.kubernetes.io/component": "assistant"}
SEARCH = {"pieced.ch/tenant": "acme", "app.kubernetes.io/component": "package", "pieced.ch/package": "search"}
PULLING = {"reason": "ErrImagePull", "message": "rpc error: not found"}
BACKING_OFF = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}
TOLD_FROM = datetime(2026, 3, 1, 9, 0, 5, tzinfo=UTC)


def pod(
    status: dict[str, Any], labels: dict[str, str] = ASSISTANT, namespace: str = "tenant-acme", uid: str = "p-1"
) -> dict[str, Any]:
    metadata = {"namespace": namespace, "uid": uid, "labels": labels, "creationTimestamp": "2026-03-01T09:00:00Z"}
    return {"metadata": metadata, "status": status}


def waiting(state: dict[str, str]) -> dict[str, Any]:
    return {"phase": "Pending", "containerStatuses": [{"name": "assistant", "state": {"waiting": state}}]}


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (waiting(BACKING_OFF), "ImagePullBackOff", 'container assistant: Back-off pulling image "x"'),
        (waiting({"reason": "InvalidImageName"}), "InvalidImageName", "container assistant: InvalidImageName"),
        (
            {"initContainerStatuses": [{"name": "seed", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
            | {"containerStatuses": [{"name": "assistant", "state": {"waiting": {"reason": "PodInitializing"}}}]},
            "CrashLoopBackOff",
            "container seed: CrashLoopBackOff",
        ),
        (condition("PodScheduled", "False", "Unschedulable", "0/1 nodes"), "Unschedulable", "0/1 nodes"),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "Evicted", "low on memory"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_kubernetes(status: dict[str, Any], reason: str, message: str) -> None:
    assert trouble(pod(status)) == Trouble(reason, message, TOLD_FROM)


@pytest.mark.parametrize(
    "status",
    [{}, waiting({"reason": "ContainerCreating"}), condition("PodScheduled", "True"), {"phase": "Running"}],
)
def test_a_pod_on_its_way_is_in_no_trouble(status: dict[str, Any]) -> None:
    assert trouble(pod(status)) is None


def test_a_trouble_is_told_as_first_worded_until_the_pod_is_ready() -> None:
    pods = Pods()
    assert pods.saw(pod(waiting(PULLING))) == "acme"
    assert pods.saw(pod(waiting(BACKING_OFF))) is None, "kubelet alternates between the two"
    assert pods.saw(pod({"phase": "Pending"})) is None, "it only tries again"
    assert pods.troubles("tenant-acme")["assistant"].message == "container assistant: rpc error: not found"
    assert pods.saw(pod(waiting({"reason": "CrashLoopBackOff"}))) == "acme", "something else"
    assert pods.troubles("tenant-acme")["assistant"].reason == "CrashLoopBackOff"
    assert pods.saw(pod(condition("Ready", "True"))) == "acme"
    assert pods.troubles("tenant-acme") == {}
    assert pods.saw(pod(condition("Ready", "True"))) is None, "nothing changed"


def test_a_trouble_ends_with_its_pod() -> None:
    pods = Pods()
    pods.saw(pod(waiting(PULLING)))
    pods.saw(pod(waiting(PULLING), SEARCH, uid="p-2"))
    assert set(pods.troubles("tenant-acme")) == {"assistant", "package-search"}
    assert pods.vanished(pod({})) == "acme"
    assert list(pods.keep_only({"p-2"})) == []
    assert set(pods.troubles("tenant-acme")) == {"package-search"}
    assert list(pods.keep_only(set())) == ["acme"]
    assert pods.troubles("tenant-acme") == {}


@pytest.mark.parametrize(
    "stranger",
    [
        pod(waiting(PULLING), namespace="tenant-other"),
        pod(waiting(PULLING), {"pieced.ch/tenant": "acme"}),
        pod(waiting(PULLING), {}),
    ],
)
def test_a_pod_that_is_not_of_our_making_says_nothing(stranger: dict[str, Any]) -> None:
    pods = Pods()
    assert pods.saw(stranger) is None
    assert pods.troubles("tenant-acme") == pods.troubles("tenant-other") == {}
