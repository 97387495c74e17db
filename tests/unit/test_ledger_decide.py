"""What an observation adds to the ledger, and when it says that it happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_billing.ledger.decide import Decision, OtherCluster, decide
from pieced_billing.ledger.events import Kind, Quality
from pieced_billing.ledger.observation import LedgerRow, Namesakes, Observation


def at(text: str) -> datetime:
    """An instant of the day that all these tests are about: "09:00:05" or "09:00:05.000001"."""
    return datetime.fromisoformat(f"2026-03-01T{text}").replace(tzinfo=UTC)


NEW = Observation(
    cluster_id="cluster",
    uid="u1",
    tenant="acme",
    org="310001",
    generation=1,
    created_at=at("09:00:00"),
    deleted_at=None,
    suspended=False,
    suspend_changed_at=at("09:00:00"),
    packages=frozenset(),
    packages_changed_at=at("09:00:00"),
    written_at=at("09:00:00"),
    seen_at=at("09:00:00.400"),
    manager="kubectl",
    source="watch",
)
"""The first version of a tenant, as the watch delivered it."""

KNOWN = LedgerRow(
    cluster_id="cluster",
    uid="u1",
    tenant="acme",
    org="310001",
    created_at=at("09:00:00"),
    generation=1,
    last_seq=1,
    last_event_at=at("09:00:00"),
    confirmed_at=at("09:30:00"),
)
"""What the ledger knows of it afterwards, confirmed half an hour later."""

LATER = replace(NEW, generation=2, written_at=at("10:00:00"), seen_at=at("10:00:00.300"))
"""A second version, seen as it was written at ten."""


def found(decision: Decision) -> list[tuple[str, str | None, datetime, str]]:
    return [(event.kind, event.package, event.occurred_at, event.quality) for event in decision.events]


def sequence(decision: Decision) -> list[int]:
    return [event.seq for event in decision.events]


def test_orders_that_are_not_served_alter_no_bill() -> None:
    known = replace(KNOWN, packages=frozenset({"search"}))
    refused = replace(LATER, suspended=True, packages=frozenset({"mail"}), served=False)
    decision = decide(known, refused)
    assert (found(decision), decision.seams) == ([], ())
    assert decision.row == replace(known, generation=2, confirmed_at=at("10:00:00"))
    assert [kind for kind, *_ in found(decide(known, replace(refused, deleted_at=at("10:00:00"))))] == ["deleted"]
    assert [kind for kind, *_ in found(decide(None, replace(refused, generation=1)))] == ["created"]


def test_an_exact_event_lies_in_a_second_of_the_api_server() -> None:
    for event in decide(None, replace(NEW, packages=frozenset({"a"}), suspended=True)).events:
        assert (event.not_before, event.not_after) == (at("09:00:00"), at("09:00:01"))


def test_what_has_to_leave_the_second_of_its_write_is_exact_no_more() -> None:
    row = replace(KNOWN, last_event_at=at("10:00:02"))
    (event,) = decide(row, replace(LATER, suspended=True, suspend_changed_at=at("10:00:00"))).events
    assert (event.occurred_at, event.quality) == (at("10:00:02.000001"), Quality.BOUNDED)
    assert (event.not_before, event.not_after) == (at("10:00:00"), at("10:00:02.000001"))


def test_a_new_tenant_is_created_at_its_creation_timestamp() -> None:
    decision = decide(None, NEW)
    assert found(decision) == [("created", None, at("09:00:00"), "exact")]
    assert decision.row == replace(KNOWN, confirmed_at=at("09:00:00"))


def test_what_a_tenant_was_created_with_is_spread_over_the_second_of_its_creation() -> None:
    decision = decide(None, replace(NEW, packages=frozenset({"b", "a"}), suspended=True))
    assert found(decision) == [
        ("created", None, at("09:00:00"), "exact"),
        ("suspended", None, at("09:00:00.000001"), "exact"),
        ("enabled", "a", at("09:00:00.000002"), "exact"),
        ("enabled", "b", at("09:00:00.000003"), "exact"),
    ]
    assert sequence(decision) == [1, 2, 3, 4]
    assert decision.row is not None
    assert decision.row.packages == {"a", "b"}
    assert decision.row.suspended


def test_a_tenant_without_organisation_is_not_recorded() -> None:
    assert decide(None, replace(NEW, org="")) == Decision((), None)


def test_the_first_organisation_is_billed_whatever_the_label_says_later() -> None:
    decision = decide(KNOWN, replace(LATER, org="", suspended=True, suspend_changed_at=at("10:00:00")))
    assert [event.org for event in decision.events] == ["310001"]
    assert decision.row is not None
    assert decision.row.org == "310001"


def test_the_same_version_again_adds_nothing() -> None:
    first = decide(None, replace(NEW, packages=frozenset({"a"})))
    again = decide(first.row, replace(NEW, packages=frozenset({"a"})))
    assert again.events == ()
    assert again.row == first.row


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


def test_the_order_of_packages_in_the_spec_is_no_event() -> None:
    row = replace(KNOWN, packages=frozenset({"a", "b"}))
    assert decide(row, replace(LATER, packages=frozenset(["b", "a"]))).events == ()


@pytest.mark.parametrize(("generation", "gap"), [(1, False), (2, False), (3, True), (9, True)])
def test_a_jump_of_the_generation_is_flagged(generation: int, gap: bool) -> None:
    row = decide(KNOWN, replace(LATER, generation=generation)).row
    assert row is not None
    assert (row.generation, row.gap, row.epoch) == (generation, gap, 0)


def test_a_flag_of_a_gap_stays() -> None:
    row = decide(replace(KNOWN, gap=True), LATER).row
    assert row is not None
    assert row.gap


def test_a_tenant_found_after_changes_has_its_packages_since_they_were_written() -> None:
    version = replace(NEW, generation=4, packages=frozenset({"a"}), packages_changed_at=at("09:20:00"))
    decision = decide(
        None, replace(version, written_at=at("09:25:00"), asked_at=at("09:40:00"), seen_at=at("09:40:00"))
    )
    assert found(decision) == [
        ("created", None, at("09:00:00"), "exact"),
        ("enabled", "a", at("09:20:00"), "bounded"),
    ]
    assert (decision.events[1].not_before, decision.events[1].not_after) == (at("09:00:00"), at("09:20:01"))
    assert decision.row is not None
    assert decision.row.gap


def test_a_tenant_labelled_later_is_created_when_it_is_labelled() -> None:
    version = replace(NEW, created_at=at("09:10:00"), packages=frozenset({"a"}), written_at=at("09:10:00"))
    assert found(decide(None, replace(version, seen_at=at("09:10:00.100")))) == [
        ("created", None, at("09:10:00"), "exact"),
        ("enabled", "a", at("09:10:00.000001"), "exact"),
    ]


def test_a_label_of_which_only_a_trace_is_left_bounds_the_creation() -> None:
    version = replace(NEW, created_at=at("09:10:00"), created_not_before=at("09:00:00"), asked_at=at("09:30:00"))
    (event,) = decide(None, replace(version, seen_at=at("09:30:00"))).events
    assert (event.occurred_at, event.quality) == (at("09:10:00"), Quality.BOUNDED)
    assert (event.not_before, event.not_after) == (at("09:00:00"), at("09:10:01"))


class TestCatalogue:
    """A package counts from when both the spec and the catalogue have it."""

    def test_a_package_that_enters_the_catalogue_is_enabled_then_though_the_resource_is_unchanged(self) -> None:
        seen = replace(
            NEW,
            packages=frozenset({"a"}),
            catalogued_at={"a": at("09:45:00")},
            asked_at=at("09:45:01"),
            seen_at=at("09:45:01"),
        )
        assert found(decide(KNOWN, seen)) == [("enabled", "a", at("09:45:00"), "exact")]

    def test_a_package_of_a_new_tenant_is_not_enabled_before_the_catalogue_had_it(self) -> None:
        seen = replace(NEW, packages=frozenset({"a"}), catalogued_at={"a": at("09:00:10")}, seen_at=at("09:00:11"))
        assert found(decide(None, seen))[1] == ("enabled", "a", at("09:00:10"), "exact")

    def test_a_package_older_than_the_tenant_is_enabled_with_it(self) -> None:
        seen = replace(NEW, packages=frozenset({"a"}), catalogued_at={"a": at("01:00:00")})
        assert found(decide(None, seen))[1] == ("enabled", "a", at("09:00:00.000001"), "exact")

    def test_a_package_that_the_spec_names_later_than_the_catalogue_is_enabled_by_the_spec(self) -> None:
        changed = replace(LATER, packages=frozenset({"a"}), packages_changed_at=at("10:00:00"))
        seen = replace(changed, catalogued_at={"a": at("09:50:00")})
        assert found(decide(KNOWN, seen)) == [("enabled", "a", at("10:00:00"), "exact")]

    def test_an_unchanged_spec_takes_no_package_away(self) -> None:
        row = replace(KNOWN, packages=frozenset({"a"}))
        decision = decide(row, replace(NEW, asked_at=at("11:00:00"), seen_at=at("11:00:00")))
        assert decision.events == ()
        assert decision.row is not None
        assert decision.row.packages == {"a"}


def test_what_a_read_finds_without_a_trace_was_switched_by_the_time_of_its_answer() -> None:
    row = replace(KNOWN, packages=frozenset({"a"}))
    read = replace(LATER, packages_changed_at=None, written_at=at("09:20:00"), asked_at=at("10:00:00"))
    (event,) = decide(row, replace(read, seen_at=at("10:00:04"))).events
    assert (event.quality, event.not_before, event.not_after) == (Quality.INFERRED, at("09:30:00"), at("10:00:04"))


class TestDeletion:
    """A tenant ends in the second of its deletionTimestamp."""

    def test_deletion_is_exact_and_implies_no_disabled(self) -> None:
        row = replace(KNOWN, packages=frozenset({"a"}), suspended=True)
        seen = replace(LATER, deleted_at=at("10:00:00"), packages=frozenset({"a"}), suspended=True)
        decision = decide(row, seen)
        assert found(decision) == [("deleted", None, at("10:00:00"), "exact")]
        assert decision.row is not None
        assert decision.row.deleted_at == at("10:00:00")

    def test_a_tenant_deleted_in_the_second_of_its_creation_lived_a_microsecond(self) -> None:
        decision = decide(None, replace(NEW, generation=2, deleted_at=at("09:00:00")))
        assert found(decision) == [
            ("created", None, at("09:00:00"), "exact"),
            ("deleted", None, at("09:00:00.000001"), "exact"),
        ]

    @pytest.mark.parametrize("switched", ["10:00:00", "10:00:01", "10:05:00"])
    def test_a_switch_never_moves_the_deletion_out_of_its_second(self, switched: str) -> None:
        seen = replace(LATER, generation=3, deleted_at=at("10:00:00"), suspended=True, seen_at=at("10:06:00"))
        decision = decide(KNOWN, replace(seen, suspend_changed_at=at(switched)))
        assert decision.row is not None
        assert decision.row.deleted_at is not None
        assert decision.row.deleted_at.replace(microsecond=0) == at("10:00:00")

    def test_a_switch_without_a_trace_is_not_taken_to_follow_the_deletion(self) -> None:
        seen = replace(LATER, generation=3, deleted_at=at("10:00:00"), suspended=True, written_at=at("10:04:00"))
        kinds = [event.kind for event in decide(KNOWN, replace(seen, suspend_changed_at=None)).events]
        assert kinds == [Kind.SUSPENDED, Kind.DELETED]

    def test_after_the_deletion_nothing_is_added(self) -> None:
        row = replace(KNOWN, deleted_at=at("09:50:00"))
        assert decide(row, replace(LATER, suspended=True, gone=True)) == Decision((), row)

    def test_a_tenant_that_vanished_ends_when_it_was_last_known(self) -> None:
        decision = decide(KNOWN, replace(LATER, generation=1, written_at=at("09:10:00"), gone=True))
        assert found(decision) == [("deleted", None, at("09:30:00.000001"), "inferred")]
        assert (decision.events[0].not_before, decision.events[0].not_after) == (at("09:30:00"), at("10:00:00.300"))

    def test_a_tenant_that_vanished_just_after_a_write_ends_after_that_write(self) -> None:
        decision = decide(KNOWN, replace(LATER, suspended=True, suspend_changed_at=at("10:00:00"), gone=True))
        assert found(decision) == [
            ("suspended", None, at("10:00:00"), "exact"),
            ("deleted", None, at("10:00:00.000001"), "inferred"),
        ]

    def test_the_last_state_of_a_vanished_tenant_may_be_an_old_copy(self) -> None:
        row = replace(KNOWN, generation=7, suspended=True)
        decision = decide(row, replace(LATER, generation=3, gone=True, written_at=at("09:20:00")))
        assert [event.kind for event in decision.events] == [Kind.DELETED]

    def test_a_vanished_tenant_ended_before_its_name_was_used_again(self) -> None:
        namesakes = Namesakes(successor_created_at=at("09:20:00"))
        decision = decide(KNOWN, replace(LATER, generation=1, gone=True), namesakes)
        assert found(decision) == [("deleted", None, at("09:20:00"), "inferred")]


class TestNamesakes:
    """A name can be used again; its UIDs never live at the same time."""

    @pytest.mark.parametrize(
        ("ended", "created"),
        [("08:00:00", "09:00:00"), ("09:00:00", "09:00:00"), ("09:00:00.000003", "09:00:00.000003")],
    )
    def test_a_tenant_is_not_created_before_its_predecessor_ended(self, ended: str, created: str) -> None:
        decision = decide(None, NEW, Namesakes(predecessor_deleted_at=at(ended)))
        assert found(decision) == [("created", None, at(created), "exact")]

    def test_a_predecessor_whose_end_is_still_to_come_is_left_room_in_the_second(self) -> None:
        first = decide(None, NEW, Namesakes(predecessor_alive=True))
        created_at = first.events[0].occurred_at
        assert created_at.replace(microsecond=0) == at("09:00:00")
        predecessor = replace(KNOWN, uid="u0", created_at=at("08:00:00"), confirmed_at=at("08:30:00"))
        gone = replace(NEW, uid="u0", created_at=at("08:00:00"), written_at=at("09:00:00"), gone=True)
        end = decide(predecessor, gone, Namesakes(successor_created_at=created_at)).events[-1]
        assert end.kind is Kind.DELETED
        assert end.occurred_at <= created_at


class TestStaleCopies:
    """A lower generation is an old copy, unless the API server itself says so."""

    OLD = replace(LATER, generation=1, suspended=True)
    ROW = replace(KNOWN, generation=5)

    def test_an_old_copy_is_dropped(self) -> None:
        assert decide(self.ROW, self.OLD) == Decision((), self.ROW, stale=True)

    def test_a_lower_generation_read_under_the_lock_is_a_restore(self) -> None:
        decision = decide(self.ROW, replace(self.OLD, asked_at=self.OLD.seen_at), fresh=True)
        assert found(decision) == [("suspended", None, at("09:30:00.000001"), "inferred")]
        assert decision.row is not None
        assert (decision.row.epoch, decision.row.generation, decision.row.gap) == (1, 1, True)

    def test_what_a_restore_switched_on_is_billed_from_when_it_was_seen(self) -> None:
        row = replace(self.ROW, suspended=True)
        seen = replace(self.OLD, suspended=False, packages=frozenset({"a"}), asked_at=self.OLD.seen_at)
        assert found(decide(row, seen, fresh=True)) == [
            ("resumed", None, at("10:00:00.300"), "inferred"),
            ("enabled", "a", at("10:00:00.300001"), "inferred"),
        ]

    def test_what_was_switched_after_a_restore_has_its_own_time(self) -> None:
        seen = replace(self.OLD, suspend_changed_at=at("09:50:00"), asked_at=self.OLD.seen_at)
        assert found(decide(self.ROW, seen, fresh=True)) == [("suspended", None, at("09:50:00"), "bounded")]


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


def test_an_imported_tenant_is_adopted_by_the_cluster_that_has_its_uid() -> None:
    imported = replace(KNOWN, cluster_id="", generation=0, confirmed_at=None, last_event_at=at("09:15:00"), last_seq=3)
    decision = decide(imported, replace(LATER, suspended=True, suspend_changed_at=at("09:10:00")))
    assert found(decision) == [("suspended", None, at("09:15:00.000001"), "bounded")]
    assert decision.row is not None
    assert (decision.row.cluster_id, decision.row.last_seq) == ("cluster", 4)


def test_a_uid_of_another_cluster_is_refused() -> None:
    with pytest.raises(OtherCluster, match="belongs to cluster elsewhere, not cluster"):
        decide(replace(KNOWN, cluster_id="elsewhere"), LATER)
