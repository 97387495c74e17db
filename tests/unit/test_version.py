"""What one version of a tenant says to the ledger: managedFields, labels and lists, case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_operator.decode import Beginning, Version, decode_version, existed_from
from pieced_operator.observing import Reading, observation

LABEL = "pieced.ch/org-id"
CREATED = "2026-03-01T09:00:00Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def entry(manager: str, time: str | None, *fields: str, status: bool = False) -> dict[str, Any]:
    """One entry of managedFields that owns fields such as `spec.suspend`."""
    owned: dict[str, Any] = {}
    for field in fields:
        place = owned
        for part in field.split(".", 2) if field.startswith("metadata.labels.") else field.split("."):
            place = place.setdefault(f"f:{part}", {})
    made: dict[str, Any] = {"manager": manager, "operation": "Update", "fieldsV1": owned}
    return made | ({"time": time} if time else {}) | ({"subresource": "status"} if status else {})


def version(*entries: dict[str, Any], spec: dict[str, Any] | None = None, **metadata: Any) -> Version:
    resource = {
        "metadata": {
            "name": "acme",
            "uid": "u-1",
            "resourceVersion": "7",
            "generation": 3,
            "creationTimestamp": CREATED,
            "labels": {LABEL: "310001"},
            "managedFields": list(entries),
            **metadata,
        },
        "spec": {"displayName": "Acme", "packages": ["a"], "suspend": False} | (spec or {}),
    }
    return decode_version(resource, LABEL)


CREATOR = entry("kubectl", CREATED, "spec.displayName", "spec.packages", "spec.suspend", f"metadata.labels.{LABEL}")


@pytest.mark.parametrize(
    ("entries", "changed_at"),
    [
        ([CREATOR], CREATED),
        ([entry("portal", "2026-03-02T10:00:00Z", "spec.suspend")], "2026-03-02T10:00:00Z"),
        # who changes a value becomes its only owner; who joins afterwards is later
        (
            [entry("b", "2026-03-05T10:00:00Z", "spec.suspend"), entry("a", "2026-03-02T10:00:00Z", "spec.suspend")],
            "2026-03-02T10:00:00Z",
        ),
        # an apply that took ownership without a change has no time
        (
            [entry("argocd", None, "spec.suspend"), entry("a", "2026-03-02T10:00:00Z", "spec.suspend")],
            "2026-03-02T10:00:00Z",
        ),
        ([entry("argocd", None, "spec.suspend")], None),
        # a default belongs to nobody
        ([entry("a", "2026-03-02T10:00:00Z", "spec.packages")], None),
        ([], None),
    ],
)
def test_a_field_had_its_value_when_its_first_owner_wrote(
    entries: list[dict[str, Any]], changed_at: str | None
) -> None:
    assert version(*entries).suspend_changed_at == (at(changed_at) if changed_at else None)


def test_the_latest_write_counts_whoever_made_it_and_the_author_is_never_ourselves() -> None:
    decoded = version(
        CREATOR,
        entry("portal", "2026-03-02T10:00:00Z", "spec.packages"),
        entry("pieced-operator", "2026-03-03T10:00:00Z", "metadata.finalizers"),
        entry("pieced-operator", "2026-03-04T10:00:00Z", "status.phase", status=True),
    )
    assert decoded.written_at == at("2026-03-04T10:00:00Z")
    assert decoded.manager == "portal"


def test_without_managed_fields_the_creation_is_all_that_is_known() -> None:
    decoded = version()
    assert (decoded.written_at, decoded.manager, decoded.packages_changed_at) == (at(CREATED), None, None)


def test_order_and_repeats_of_packages_mean_nothing() -> None:
    assert version(spec={"packages": ["a", "b"]}).packages == version(spec={"packages": ["b", "a", "b"]}).packages


@pytest.mark.parametrize(
    ("entries", "began"),
    [
        ([CREATOR], CREATED),
        # the creator wrote again, and with that its entry got a later time: the label was there before
        ([entry("kubectl", "2026-03-09T10:00:00Z", "spec.displayName", f"metadata.labels.{LABEL}")], CREATED),
        (
            [
                entry("kubectl", CREATED, "spec.displayName"),
                entry("admin", "2026-03-02T08:00:00Z", f"metadata.labels.{LABEL}"),
            ],
            "2026-03-02T08:00:00Z",
        ),
        ([], CREATED),
    ],
)
def test_a_tenant_labelled_later_exists_from_then(entries: list[dict[str, Any]], began: str) -> None:
    accepted_at = at("2026-04-01T00:00:00Z")
    assert existed_from(version(*entries), None, accepted_at, as_written=True) == Beginning(at(began))


def test_a_labelling_that_is_read_later_may_have_been_before_its_writers_last_write() -> None:
    labelled = version(
        entry("kubectl", CREATED, "spec.displayName"),
        entry("admin", "2026-03-02T08:00:00Z", f"metadata.labels.{LABEL}"),
    )
    began = existed_from(labelled, None, at("2026-04-01T00:00:00Z"), as_written=False)
    assert began == Beginning(at("2026-03-02T08:00:00Z"), not_before=at(CREATED))


def test_a_tenant_that_was_refused_exists_from_when_the_reason_was_gone() -> None:
    labelled = version(entry("kubectl", "2026-03-09T10:00:00Z", "spec.displayName", f"metadata.labels.{LABEL}"))
    accepted_at = at("2026-04-01T00:00:00Z")
    for reason, began in [
        ("OrganisationMissing", at("2026-03-09T10:00:00Z")),
        ("ResourceInvalid", at("2026-03-09T10:00:00Z")),
        ("NamespaceConflict", accepted_at),
        ("ApplyRefused", at(CREATED)),
    ]:
        assert existed_from(labelled, reason, accepted_at, as_written=True) == Beginning(began)


@pytest.mark.parametrize(
    ("ledger_id", "marked", "restored_from"),
    [
        (None, False, None),
        ("acme/u-1", True, None),
        ("acme/u-0", True, "u-0"),  # a backup of it was restored
        ("other/u-0", False, None),  # a manifest of another tenant was copied
        ("acme", False, None),
        ("acme/", False, None),
    ],
)
def test_a_tenant_is_known_again_by_the_id_that_it_was_given(
    ledger_id: str | None, marked: bool, restored_from: str | None
) -> None:
    annotations = {} if ledger_id is None else {"pieced.ch/ledger-id": ledger_id}
    decoded = version(annotations=annotations)
    assert (decoded.marked, decoded.restored_from) == (marked, restored_from)


@pytest.mark.parametrize("asked_at", [None, at("2026-03-02T09:59:59Z")])
def test_a_version_was_written_by_the_time_it_is_seen_whenever_it_was_asked_for(asked_at: datetime | None) -> None:
    decoded = version(entry("portal", "2026-03-02T10:00:00Z", "spec.packages"))
    reading = Reading("watch", at("2026-03-02T10:00:00.500Z"), asked_at)
    known_since = {"a": at(CREATED), "z": at(CREATED)}
    seen = observation(
        decoded, reading, cluster_id="c", organisation=None, began=Beginning(at(CREATED)), catalogued_at=known_since
    )
    assert (seen.seen_at, seen.asked_at) == (reading.at, asked_at)
    assert seen.packages == frozenset("a")
    assert seen.catalogued_at == {"a": at(CREATED)}
    assert seen.org == "310001"


def test_instants_are_aware() -> None:
    assert version(CREATOR).created_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert version(deletionTimestamp="2026-03-20T12:00:00Z").deleted_at == at(CREATED) + timedelta(days=19, hours=3)
