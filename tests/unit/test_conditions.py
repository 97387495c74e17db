"""An outcome becomes conditions, one phase, and Events where something is news."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_operator.conditions import (
    OWNED_FIELDS,
    Outcome,
    apply_refused,
    namespace_conflict,
    organisation_missing,
    resource_invalid,
    status,
)
from pieced_operator.desired.storage import Storage, StorageProblem
from pieced_operator.desired.suspension import retention
from pieced_operator.readiness import Failure, Readiness
from pieced_operator.tenant_status import TenantStatus, decode_status
from pieced_operator.transitions import Notice, transitions
from tests.tenants import tenant

NOW = datetime(2026, 6, 1, 12, 0, 0, 654321, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
FRESH = TenantStatus()


def outcome(**changes: Any) -> Outcome:
    found = {"organisation": "310001", "labelled": "310001", "namespace": "tenant-acme", "unknown_packages": ()}
    return Outcome(**{**found, **changes})


def suspended(**metadata: Any) -> Outcome:
    held = retention(tenant(spec={"suspend": True}, **metadata), MARCH, timedelta(days=60))
    return outcome(suspended_at=MARCH, retention=held)


def by_type(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in said["conditions"]}


CASES = [
    pytest.param(outcome(), "Ready", "Ready", "Available", id="ready"),
    pytest.param(suspended(), "Suspended", "Ready", "Suspended", id="suspended"),
    pytest.param(
        outcome(readiness=Readiness(waiting=("Deployment assistant does not exist yet.",))),
        "Pending", "Reconciling", "Progressing", id="waiting",
    ),
    pytest.param(outcome(refusals=("exceeded quota",)), "Pending", "Reconciling", "Retrying", id="refused for now"),
    pytest.param(
        outcome(suspended_at=MARCH, readiness=Readiness(waiting=("Deployment assistant is stopping.",))),
        "Pending", "Reconciling", "Progressing", id="stopping",
    ),
    pytest.param(
        outcome(readiness=Readiness(stuck=("timed out",), waiting=("other",))),
        "Stalled", "Stalled", "ProgressDeadlineExceeded", id="stuck",
    ),
    pytest.param(
        Outcome(None, None, problem=organisation_missing("pieced.ch/org-id")),
        "Stalled", "Stalled", "OrganisationMissing", id="no organisation",
    ),
    pytest.param(
        outcome(namespace=None, problem=namespace_conflict("tenant-acme")),
        "Stalled", "Stalled", "NamespaceConflict", id="foreign namespace",
    ),
    pytest.param(outcome(problem=apply_refused(("no",))), "Stalled", "Stalled", "ApplyRefused", id="refused for good"),
    pytest.param(outcome(problem=resource_invalid("bad")), "Stalled", "Stalled", "ResourceInvalid", id="invalid"),
    pytest.param(
        outcome(deleting=True, problem=apply_refused(("no",))), "Deleting", "Reconciling", "Deleting", id="deleting"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("found", "phase", "true", "reason"), CASES)
def test_exactly_one_of_ready_reconciling_stalled_is_true_and_the_phase_follows(
    found: Outcome, phase: str, true: str, reason: str
) -> None:
    said = status(FRESH, 7, found, NOW)
    conditions = by_type(said)
    assert said["phase"] == phase
    assert [kind for kind in ("Ready", "Reconciling", "Stalled") if conditions[kind]["status"] == "True"] == [true]
    assert conditions[true]["reason"] == reason
    assert said["observedGeneration"] == 7
    assert {condition["observedGeneration"] for condition in said["conditions"]} == {7}


@pytest.mark.parametrize("found", [case.values[0] for case in CASES])
def test_the_same_outcome_said_again_is_equal_so_nothing_is_written_or_posted(found: Outcome) -> None:
    once = status(FRESH, 7, found, NOW)
    before = decode_status({"status": once})
    again = status(before, 7, found, NOW + timedelta(hours=1))
    assert again == once
    assert transitions(before.conditions, decode_status({"status": again}).conditions) == []
    assert once.keys() <= OWNED_FIELDS


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    first = status(FRESH, 1, outcome(readiness=Readiness(waiting=("a",))), NOW)
    later = NOW + timedelta(minutes=1)
    second = status(decode_status({"status": first}), 2, outcome(readiness=Readiness(waiting=("b",))), later)
    third = status(decode_status({"status": second}), 2, outcome(), later + timedelta(minutes=1))
    assert by_type(first)["Ready"]["lastTransitionTime"] == "2026-06-01T12:00:00Z"
    assert by_type(second)["Ready"]["lastTransitionTime"] == "2026-06-01T12:00:00Z"
    assert by_type(third)["Ready"]["lastTransitionTime"] == "2026-06-01T12:02:00Z"
    assert by_type(third)["Stalled"]["lastTransitionTime"] == "2026-06-01T12:00:00Z"


def test_a_package_that_the_catalogue_lacks_is_a_condition_beside_ready() -> None:
    conditions = by_type(status(FRESH, 1, outcome(unknown_packages=("matrix", "zulip")), NOW))
    assert conditions["Ready"]["status"] == "True"
    assert conditions["PackagesAvailable"]["status"] == "False"
    assert conditions["PackagesAvailable"]["message"] == (
        "Not in the catalogue, so not run: matrix, zulip. What it never had is not billed. "
        "Apply a PiecedPackage of that name, or take the id out of spec.packages."
    )


def test_nothing_is_said_of_packages_where_nobody_looked() -> None:
    missing = Outcome(None, None, problem=organisation_missing("pieced.ch/org-id"))
    assert "PackagesAvailable" not in by_type(status(FRESH, 1, missing, NOW))
    before = decode_status({"status": status(FRESH, 1, outcome(unknown_packages=("zulip",)), NOW)})
    leaving = status(before, 2, outcome(unknown_packages=None, deleting=True), NOW)
    notices = transitions(before.conditions, decode_status({"status": leaving}).conditions)
    assert [notice.reason for notice in notices] == ["Deleting"]


def test_many_unknown_packages_make_a_short_message() -> None:
    message = by_type(status(FRESH, 1, outcome(unknown_packages=tuple(map(str, range(64)))), NOW))["PackagesAvailable"]
    assert "8, 9 (and 54 more). What" in message["message"]


@pytest.mark.parametrize(
    ("labelled", "reason", "message"),
    [
        (None, "LabelRemoved", "The label was removed; organisation 310001, the first, is billed."),
        ("310002", "LabelChanged", "The label now names 310002; organisation 310001, the first, is billed."),
    ],
)
def test_an_organisation_that_changes_is_only_a_condition(labelled: str | None, reason: str, message: str) -> None:
    said = status(FRESH, 1, outcome(labelled=labelled), NOW)
    changed = by_type(said)["OrganisationChanged"]
    assert (said["organisation"], said["phase"]) == ("310001", "Ready")
    to_do = "Set the label back, or create another tenant."
    assert (changed["status"], changed["reason"], changed["message"]) == ("True", reason, f"{message} {to_do}")


def test_a_tenant_without_organisation_has_no_namespace_and_no_organisation_in_its_status() -> None:
    said = status(FRESH, 1, Outcome(None, None, problem=organisation_missing("pieced.ch/org-id")), NOW)
    assert said.keys() == {"observedGeneration", "phase", "conditions"}


@pytest.mark.parametrize(
    ("metadata", "reason", "words"),
    [
        ({}, "DeletionWithin1Day", "are deleted on 2026-04-30T00:00:00Z unless it is resumed"),
        ({"annotations": {"pieced.ch/resume-requested-at": "x"}}, "ResumeRequested", "a request to resume is open"),
        ({"labels": {"app.kubernetes.io/instance": "x"}}, "TrackedByArgoCD", "remove its manifest from Git"),
    ],
)
def test_a_suspended_tenant_says_when_it_is_deleted_and_what_keeps_it(
    metadata: dict[str, Any], reason: str, words: str
) -> None:
    said = status(FRESH, 1, suspended(**metadata), NOW)
    pending = by_type(said)["RetentionPending"]
    assert said["suspendedAt"] == "2026-03-01T00:00:00Z"
    assert said.get("deletionDueAt") == ("2026-04-30T00:00:00Z" if reason == "DeletionWithin1Day" else None)
    assert (pending["status"], pending["reason"]) == ("True", reason)
    assert words in pending["message"]


def test_every_child_that_fails_is_a_condition_of_its_own_and_an_event_once() -> None:
    forbidden = Failure("PersistentVolumeClaim", "workspace", "Forbidden", "exceeded quota: tenant")
    pulling = Failure("Deployment", "package-search", "ImagePullBackOff", "Back-off pulling image")
    again = Failure("Deployment", "package-search", "ProgressDeadlineExceeded", "timed out")
    failing = outcome(refused=(forbidden,), readiness=Readiness(waiting=("x",), failures=(pulling, again)))
    conditions = by_type(status(FRESH, 1, failing, NOW))
    told = {kind: (found["reason"], found["message"]) for kind, found in conditions.items() if "Failing" in kind}
    assert told == {
        "PersistentVolumeClaimFailing.workspace": ("Forbidden", "exceeded quota: tenant"),
        "DeploymentFailing.package-search": ("ImagePullBackOff", "Back-off pulling image"),
    }
    first, second, mended = notices(failing, failing, outcome())
    assert [notice[:2] for notice in first] == [("Warning", "Forbidden"), ("Warning", "ImagePullBackOff")]
    assert second == []
    assert [notice.reason for notice in mended] == ["Available"]
    assert not [kind for kind in by_type(status(FRESH, 1, outcome(), NOW)) if "Failing" in kind]


def test_conditions_fit_into_a_status_however_many_children_fail() -> None:
    failures = tuple(
        Failure("Deployment", f"package-{number}", "ImagePullBackOff", "x" * 9_999) for number in range(99)
    )
    said = status(FRESH, 1, outcome(unknown_packages=("a",), readiness=Readiness(failures=failures)), NOW)
    assert len(said["conditions"]) <= 100
    assert decode_status({"status": said}).conditions


def test_a_volume_that_stays_as_it_is_is_a_condition_that_says_what_to_order() -> None:
    said = by_type(status(FRESH, 1, outcome(storage=Storage("10Gi", "5Gi", StorageProblem.CANNOT_SHRINK)), NOW))
    assert said["Ready"]["status"] == "True"
    assert (said["StorageDiffers"]["reason"], said["StorageDiffers"]["message"]) == (
        "CannotShrink",
        "The volume stays at 10Gi although 5Gi is ordered: a volume can grow, never shrink. Order 10Gi or more.",
    )
    assert "StorageDiffers" not in by_type(status(FRESH, 1, outcome(storage=Storage("5Gi", "5Gi", None)), NOW))


def notices(*outcomes: Outcome, at: tuple[datetime, ...] = ()) -> list[list[Notice]]:
    """The Events of each outcome after the one before it, beginning with a tenant that nothing was said of."""
    posted, before = [], FRESH
    for found, now in zip(outcomes, at or (NOW,) * len(outcomes), strict=True):
        after = decode_status({"status": status(before, 1, found, now)})
        posted.append(transitions(before.conditions, after.conditions))
        before = after
    return posted


def test_events_of_a_life() -> None:
    waiting = outcome(readiness=Readiness(waiting=("Deployment assistant does not exist yet.",)))
    still = outcome(readiness=Readiness(waiting=("Deployment assistant: waits for its pods.",)))
    life = notices(waiting, still, outcome(), waiting, outcome(), suspended(), outcome(deleting=True))
    assert [[(notice.type, notice.reason) for notice in posted] for posted in life] == [
        [],
        [],
        [("Normal", "Available")],
        [("Normal", "Progressing")],
        [("Normal", "Available")],
        [("Normal", "Suspended"), ("Warning", "DeletionWithin1Day")],
        [("Normal", "Deleting")],
    ]


def test_each_announcement_of_a_deletion_is_one_event_and_one_that_was_missed_is_not_caught_up() -> None:
    due_at = MARCH + timedelta(days=60)
    days_before = (20, 15, 14, 13, 7, 7, 0.5)
    posted = notices(*[suspended()] * 7, at=tuple(due_at - timedelta(days=days) for days in days_before))
    announced = [[(notice.type, notice.reason) for notice in each if "Deletion" in notice.reason] for each in posted]
    assert announced == [
        [("Normal", "DeletionScheduled")],
        [],
        [("Warning", "DeletionWithin14Days")],
        [],
        [("Warning", "DeletionWithin7Days")],
        [],
        [("Warning", "DeletionWithin1Day")],
    ]
    late = notices(*[suspended()] * 2, at=(due_at - timedelta(days=20), due_at - timedelta(hours=2)))
    assert [notice.reason for notice in late[1]] == ["DeletionWithin1Day"]


def test_events_of_unknown_packages_name_them_once_each_time_they_change() -> None:
    life = notices(
        outcome(),
        outcome(unknown_packages=("zulip",)),
        outcome(unknown_packages=("zulip",)),
        outcome(unknown_packages=("matrix", "zulip")),
        outcome(),
    )
    assert [[notice.reason for notice in posted] for posted in life] == [
        ["Available"],
        ["UnknownPackages"],
        [],
        ["UnknownPackages"],
        ["InCatalogue"],
    ]


def test_what_needs_a_person_is_a_warning_at_first_sight() -> None:
    [[stalled]] = notices(outcome(problem=namespace_conflict("tenant-acme")))
    assert stalled == Notice(
        "Warning",
        "NamespaceConflict",
        "Namespace tenant-acme exists and is not this tenant's; it is left alone. "
        "Remove it, or create the tenant under another name.",
    )
