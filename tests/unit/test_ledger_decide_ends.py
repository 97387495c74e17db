"""How a tenant ends, who has its name afterwards, and what an old copy or a restored cluster says of it."""

from dataclasses import replace

import pytest

from pieced_billing.ledger.decide import Decision, decide
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.observation import Namesakes
from tests.decided import KNOWN, LATER, NEW, at, found


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
