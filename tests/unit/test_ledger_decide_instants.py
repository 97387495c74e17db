"""When an observation says that something happened, how well that is known, and until when nothing else did."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pieced_billing.ledger.decide import decide
from pieced_billing.ledger.events import Quality
from pieced_billing.ledger.observation import LedgerRow
from tests.decided import KNOWN, LATER, NEW, at, found


def test_an_exact_event_lies_in_a_second_of_the_api_server() -> None:
    for event in decide(None, replace(NEW, packages=frozenset({"a"}), suspended=True)).events:
        assert (event.not_before, event.not_after) == (at("09:00:00"), at("09:00:01"))


def test_what_has_to_leave_the_second_of_its_write_is_exact_no_more() -> None:
    row = replace(KNOWN, last_event_at=at("10:00:02"))
    (event,) = decide(row, replace(LATER, suspended=True, suspend_changed_at=at("10:00:00"))).events
    assert (event.occurred_at, event.quality) == (at("10:00:02.000001"), Quality.BOUNDED)
    assert (event.not_before, event.not_after) == (at("10:00:00"), at("10:00:02.000001"))


SWITCHES = [
    ("suspended", {"suspended": True, "suspend_changed_at": at("10:00:00")}, KNOWN, None),
    ("resumed", {"suspend_changed_at": at("10:00:00")}, replace(KNOWN, suspended=True), None),
    ("enabled", {"packages": frozenset({"a"}), "packages_changed_at": at("10:00:00")}, KNOWN, "a"),
    ("disabled", {"packages_changed_at": at("10:00:00")}, replace(KNOWN, packages=frozenset({"a"})), "a"),
]


@pytest.mark.parametrize(("kind", "change", "row", "package"), SWITCHES, ids=[case[0] for case in SWITCHES])
def test_a_delivered_write_is_exact(kind: str, change: dict[str, Any], row: LedgerRow, package: str | None) -> None:
    assert found(decide(row, replace(LATER, **change))) == [(kind, package, at("10:00:00"), "exact")]


@pytest.mark.parametrize(("kind", "change", "row", "package"), SWITCHES, ids=[case[0] for case in SWITCHES])
def test_a_write_that_a_later_read_finds_is_bounded(
    kind: str, change: dict[str, Any], row: LedgerRow, package: str | None
) -> None:
    read = replace(LATER, **change, asked_at=at("12:00:00"), seen_at=at("12:00:00"))
    decision = decide(row, read)
    assert found(decision) == [(kind, package, at("10:00:00"), "bounded")]
    assert (decision.events[0].not_before, decision.events[0].not_after) == (at("09:30:00"), at("10:00:01"))


@pytest.mark.parametrize(("kind", "change", "row", "package"), SWITCHES, ids=[case[0] for case in SWITCHES])
def test_a_write_that_left_no_trace_is_inferred_at_the_latest_write(
    kind: str, change: dict[str, Any], row: LedgerRow, package: str | None
) -> None:
    untraced = replace(replace(LATER, **change), suspend_changed_at=None, packages_changed_at=None)
    assert found(decide(row, untraced)) == [(kind, package, at("10:00:00"), "inferred")]


def test_without_any_trace_it_is_bounded_by_the_previous_write() -> None:
    """Removing `packages` moves no time at all: the latest write known is still the one before."""
    row = replace(KNOWN, packages=frozenset({"a"}))
    decision = decide(row, replace(LATER, packages_changed_at=None, written_at=at("09:30:00")))
    assert found(decision) == [("disabled", "a", at("09:30:00.000001"), "inferred")]
    assert (decision.events[0].not_before, decision.events[0].not_after) == (at("09:30:00"), at("10:00:00.300"))


@pytest.mark.parametrize(
    ("claimed", "recorded", "quality"),
    [
        ("09:00:00", "09:30:00.000001", Quality.BOUNDED),
        ("09:29:59", "09:30:00.000001", Quality.BOUNDED),
        ("09:30:00", "09:30:00.000001", Quality.EXACT),
        ("10:00:00", "10:00:00", Quality.EXACT),
        ("11:00:00", "10:00:00.300", Quality.BOUNDED),
    ],
)
def test_an_instant_is_clamped_to_after_the_last_confirmation_and_until_seen(
    claimed: str, recorded: str, quality: Quality
) -> None:
    decision = decide(KNOWN, replace(LATER, suspended=True, suspend_changed_at=at(claimed)))
    assert found(decision) == [("suspended", None, at(recorded), quality)]


def test_several_writes_in_one_second_stay_in_it_in_the_order_of_their_recording() -> None:
    row, instants = KNOWN, []
    for generation in range(2, 12):
        version = replace(
            LATER, generation=generation, suspended=generation % 2 == 0, suspend_changed_at=at("10:00:00")
        )
        decision = decide(row, version)
        assert decision.row is not None
        row = decision.row
        instants += [event.occurred_at for event in decision.events]
    assert instants == [at("10:00:00") + timedelta(microseconds=number) for number in range(10)]
    assert row.last_seq == 11


def test_a_label_of_which_only_a_trace_is_left_bounds_the_creation() -> None:
    version = replace(NEW, created_at=at("09:10:00"), created_not_before=at("09:00:00"), asked_at=at("09:30:00"))
    (event,) = decide(None, replace(version, seen_at=at("09:30:00"))).events
    assert (event.occurred_at, event.quality) == (at("09:10:00"), Quality.BOUNDED)
    assert (event.not_before, event.not_after) == (at("09:00:00"), at("09:10:01"))


def test_what_a_read_finds_without_a_trace_was_switched_by_the_time_of_its_answer() -> None:
    row = replace(KNOWN, packages=frozenset({"a"}))
    read = replace(LATER, packages_changed_at=None, written_at=at("09:20:00"), asked_at=at("10:00:00"))
    (event,) = decide(row, replace(read, seen_at=at("10:00:04"))).events
    assert (event.quality, event.not_before, event.not_after) == (Quality.INFERRED, at("09:30:00"), at("10:00:04"))


class TestConfirmation:
    """Until when the state of the ledger is known to have been that of the resource."""

    @pytest.mark.parametrize(
        ("asked_at", "known_until"),
        [(None, "10:00:00"), ("11:00:00.700", "10:59:59"), ("09:10:00", "10:00:00")],
    )
    def test_a_read_confirms_until_a_second_before_it_was_asked_for_and_a_delivery_until_its_write(
        self, asked_at: str | None, known_until: str
    ) -> None:
        seen = replace(LATER, seen_at=at("11:00:09"), asked_at=None if asked_at is None else at(asked_at))
        row = decide(KNOWN, seen).row
        assert row is not None
        assert row.confirmed_at == at(known_until)

    def test_it_never_goes_back(self) -> None:
        row = decide(KNOWN, replace(NEW, written_at=at("09:00:00"))).row
        assert row is not None
        assert row.confirmed_at == at("09:30:00")
