"""What is known of children when the watch and the answer to an apply arrive in either order."""

from typing import Any

import orjson

from pieced_operator.children import Children
from pieced_operator.live_child import LIVE_CHILD, LiveChild
from pieced_operator.names import MANIFEST_CHECKSUM_ANNOTATION, TENANT_UID_LABEL

MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {
        "name": "workspace",
        "namespace": "tenant-acme",
        "labels": {TENANT_UID_LABEL: "t-1"},
        "annotations": {MANIFEST_CHECKSUM_ANNOTATION: "c-1"},
    },
}


def claim(version: int, phase: str) -> LiveChild:
    metadata = {**MANIFEST["metadata"], "uid": "v-1", "resourceVersion": str(version)}
    return LIVE_CHILD.one.decode(orjson.dumps({**MANIFEST, "metadata": metadata, "status": {"phase": phase}}))


def test_the_answer_to_an_apply_does_not_undo_what_the_watch_saw_since() -> None:
    children = Children()
    children.saw("PersistentVolumeClaim", claim(12, "Bound"))
    children.applied("PersistentVolumeClaim", MANIFEST, claim(10, "Pending"))
    state = children.state("t-1", "PersistentVolumeClaim", "workspace")
    assert state is not None
    assert state["status"] == {"phase": "Bound"}
    assert children.in_sync("t-1", MANIFEST), "compared with what the watch saw"


def test_the_answer_to_an_apply_counts_before_the_watch_has_it() -> None:
    children = Children()
    children.applied("PersistentVolumeClaim", MANIFEST, claim(10, "Pending"))
    assert children.in_sync("t-1", MANIFEST)
    assert children.saw("PersistentVolumeClaim", claim(12, "Bound")) == "t-1", "its tenant may be ready now"


def test_a_child_that_is_deleted_before_its_apply_is_answered_is_made_again() -> None:
    children = Children()
    children.saw("PersistentVolumeClaim", claim(10, "Bound"))
    assert children.vanished("PersistentVolumeClaim", claim(11, "Bound")) == "t-1"
    children.applied("PersistentVolumeClaim", MANIFEST, claim(10, "Bound"))
    assert children.saw("PersistentVolumeClaim", claim(10, "Bound")) is None
    assert not children.in_sync("t-1", MANIFEST)


def test_of_a_child_that_we_deleted_nothing_is_heard_any_more() -> None:
    children = Children()
    children.saw("PersistentVolumeClaim", claim(10, "Bound"))
    children.deleted("t-1", ("PersistentVolumeClaim", "workspace"), "v-1")
    assert not children.of("t-1")
    assert children.saw("PersistentVolumeClaim", claim(11, "Lost")) is None, "delivered late"
    assert children.vanished("PersistentVolumeClaim", claim(12, "Lost")) is None, "we know, and have gone on"
    assert not children.of("t-1")


def test_a_child_that_loses_our_label_and_gets_it_back_is_known_again() -> None:
    children = Children()
    children.vanished("PersistentVolumeClaim", claim(11, "Bound"))
    assert children.saw("PersistentVolumeClaim", claim(12, "Bound")) == "t-1"
    children.vanished("PersistentVolumeClaim", claim(13, "Bound"))
    children.applied("PersistentVolumeClaim", MANIFEST, claim(14, "Bound"))
    assert children.in_sync("t-1", MANIFEST)
