"""What a status keeps of versions that the ledger was not told: everything that it will need."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from pieced_billing.ledger.observation import Observation
from pieced_operator.decode import decode_version
from pieced_operator.unrecorded import SOURCE, entries, observations
from tests.observations import NINE, first_version, next_version
from tests.tenants import resource

CATALOGUE = {name: NINE - timedelta(days=1) for name in ("a", "b")}


def history(count: int) -> list[Observation]:
    """Versions of one tenant as the watch delivered them, each saying something new."""
    made = first_version(
        resource()["metadata"]["uid"],
        resource_version=100,
        packages=frozenset({"a"}),
        catalogued_at={"a": CATALOGUE["a"]},
    )
    versions = [made]
    for number in range(1, count):
        changed: dict[str, Any] = {"resource_version": 100 + number, "suspended": number % 2 == 1}
        versions.append(next_version(versions[-1], minutes=0, **changed))
    return versions


def kept(seen: list[Observation]) -> list[Observation]:
    """What is read again of what was written, by way of the API server's JSON."""
    status = orjson.loads(orjson.dumps({"unrecorded": entries(seen)}))
    version = decode_version(resource(resourceVersion="999", status=status), "pieced.ch/org-id")
    assert version.keeps_unrecorded == bool(seen)
    return observations(version, status, cluster_id="cluster", organisation="310001", catalogued_at=CATALOGUE)


def test_what_is_kept_says_to_the_ledger_what_was_seen() -> None:
    seen = history(5)
    seen[1] = replace(seen[1], suspend_changed_at=None, packages_changed_at=None, manager=None)
    seen[2] = replace(seen[2], created_not_before=NINE - timedelta(hours=1))
    assert kept(seen) == [replace(one, source=SOURCE) for one in seen]


def test_what_can_be_read_again_at_any_time_is_not_kept() -> None:
    seen = history(2)
    again = [
        replace(seen[1], asked_at=NINE),
        replace(seen[1], asked_at=NINE, deleted_at=NINE + timedelta(hours=1)),
        replace(seen[1], gone=True),
    ]
    assert entries(again) == []
    assert kept([]) == []


def test_what_a_list_found_is_kept_when_something_later_took_its_place() -> None:
    seen = history(3)
    seen[0] = replace(seen[0], asked_at=NINE)
    seen[1] = replace(seen[1], asked_at=NINE, deleted_at=NINE + timedelta(hours=1))
    seen[2] = replace(seen[2], asked_at=NINE, deleted_at=NINE + timedelta(hours=1))
    assert kept(seen) == [replace(one, source=SOURCE) for one in seen[:2]]
    again = replace(seen[0], asked_at=None)
    assert kept([again, *seen]) == [replace(one, source=SOURCE) for one in (again, seen[1])]


def test_an_end_that_the_watch_told_is_kept_at_once() -> None:
    seen = history(2)
    seen[1] = replace(seen[1], deleted_at=NINE + timedelta(hours=1))
    assert kept(seen) == [replace(one, source=SOURCE) for one in seen]


def test_of_too_many_the_newest_replaces_those_before_it() -> None:
    seen = history(50)
    assert [one.generation for one in kept(seen)] == [*range(1, 32), 50]


def test_an_entry_that_somebody_spoiled_is_no_help_and_no_harm() -> None:
    spoiled = [{"generation": "many"}, *entries(history(1))]
    version = decode_version(resource(resourceVersion="1"), "pieced.ch/org-id")
    found = observations(version, {"unrecorded": spoiled}, cluster_id="c", organisation=None, catalogued_at=CATALOGUE)
    assert [one.generation for one in found] == [1]
