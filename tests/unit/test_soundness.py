"""Whether the ledger agrees with itself: every kind of fault is named, and what this program writes has none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.observation import LedgerRow
from pieced_billing.ledger.soundness import NumberRun, overlaps, unsound_counter, unsound_history

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


def event(seq: int, kind: Kind, package: str | None = None, **changes: Any) -> Event:
    at = NINE + timedelta(hours=seq - 1)
    made = Event(
        cluster_id="c",
        uid="u1",
        tenant="acme",
        org="310001",
        seq=seq,
        kind=kind,
        package=package,
        occurred_at=at,
        not_before=at,
        not_after=at + timedelta(seconds=1),
        quality=Quality.EXACT,
        source="watch",
        generation=seq,
        manager="kubectl",
    )
    return replace(made, **changes)


LIFE = [
    event(1, Kind.CREATED),
    event(2, Kind.ENABLED, "search"),
    event(3, Kind.SUSPENDED),
    event(4, Kind.RESUMED),
    event(5, Kind.DISABLED, "search"),
    event(6, Kind.ENABLED, "telegram"),
]
ROW = LedgerRow("c", "u1", "acme", "310001", NINE, last_seq=6, packages=frozenset({"telegram"}))


def found(row: LedgerRow, events: list[Event]) -> list[tuple[str, str]]:
    return [(str(one.kind), one.what) for one in unsound_history(row, events)]


def test_a_life_as_the_operator_records_it_is_sound() -> None:
    assert found(ROW, LIFE) == []
    end = event(7, Kind.DELETED)
    assert found(replace(ROW, last_seq=7, deleted_at=end.occurred_at), [*LIFE, end]) == []


def test_what_a_file_says_may_come_late_and_say_what_was_so() -> None:
    late = event(7, Kind.ENABLED, "telegram", source="import", occurred_at=NINE, not_before=None, not_after=None)
    assert found(replace(ROW, last_seq=7), [*LIFE, late]) == []


@pytest.mark.parametrize(
    ("row", "events", "kind", "what"),
    [
        (ROW, [*LIFE[:2], *LIFE[3:]], "counter", "no event has the sequence number 3"),
        (ROW, LIFE[:5], "counter", "the row counts 6 events, and the last has number 5"),
        (ROW, [*LIFE, LIFE[5]], "counter", "two events have the sequence number 6"),
        (
            ROW,
            [*LIFE[:3], replace(LIFE[3], occurred_at=NINE, not_before=NINE), *LIFE[4:]],
            "event_order",
            "event 4 (resumed) is not later than event 3 (suspended)",
        ),
        (
            ROW,
            [*LIFE[:5], replace(LIFE[5], not_before=NINE + timedelta(days=1))],
            "event_order",
            "event 6 (enabled) is before its lower bound",
        ),
        (
            ROW,
            [*LIFE[:5], replace(LIFE[5], not_after=NINE)],
            "event_order",
            "event 6 (enabled) is after its upper bound",
        ),
        (
            ROW,
            [*LIFE[:4], replace(LIFE[4], kind=Kind.ENABLED), LIFE[5]],
            "event_order",
            "event 5 is enabled search, which was so already",
        ),
        (
            replace(ROW, deleted_at=NINE + timedelta(hours=4)),
            [*LIFE[:4], event(5, Kind.DELETED), LIFE[5]],
            "event_order",
            "event 5 is deleted, and events follow it",
        ),
        (replace(ROW, suspended=True), LIFE, "counter", "the row of the tenant is not what its events fold to"),
        (replace(ROW, packages=frozenset()), LIFE, "counter", "the row of the tenant is not what its events fold to"),
        (replace(ROW, deleted_at=NINE), LIFE, "counter", "the row of the tenant is not what its events fold to"),
        (ROW, [], "counter", "the row counts 6 events, and the last has number 0"),
    ],
)
def test_every_fault_of_a_history_is_named(row: LedgerRow, events: list[Event], kind: str, what: str) -> None:
    assert (kind, what) in found(row, events)


def test_lives_of_one_name_follow_each_other() -> None:
    first = replace(ROW, deleted_at=NINE + timedelta(hours=3))
    second = replace(ROW, uid="u2", created_at=NINE + timedelta(hours=3))
    elsewhere = replace(ROW, uid="u3", cluster_id="another")
    assert list(overlaps([second, elsewhere, first])) == []
    for longer in (None, NINE + timedelta(hours=4)):
        (one,) = overlaps([second, elsewhere, replace(first, deleted_at=longer)])
        assert (one.kind, one.tenant, one.uid) == ("overlap", "acme", "u1")
        assert "when u2 of the same name begins" in one.what


@pytest.mark.parametrize(
    ("last_number", "runs", "said"),
    [
        (7, [NumberRun(1, 7)], []),
        (7, [NumberRun(1, 3), NumberRun(5, 7)], ["INV-2026: no invoice has number 4"]),
        (7, [NumberRun(2, 7)], ["INV-2026: no invoice has number 1"]),
        (9, [NumberRun(1, 7)], ["INV-2026: the counter is at 9, and the last number that was issued is 7"]),
        (None, [NumberRun(1, 7)], ["INV-2026: there is no counter, and the last number that was issued is 7"]),
        (3, [], ["INV-2026: the counter is at 3, and the last number that was issued is 0"]),
    ],
)  # fmt: skip
def test_a_counter_agrees_with_the_numbers_that_were_issued(
    last_number: int | None, runs: list[NumberRun], said: list[str]
) -> None:
    assert [one.what for one in unsound_counter("INV-2026", last_number, runs)] == said
