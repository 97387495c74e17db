"""What an observation adds to the ledger."""

from dataclasses import replace

import pytest

from pieced_billing.ledger.decide import Decision, OtherCluster, decide
from tests.decided import KNOWN, LATER, NEW, at, found


def test_orders_that_are_not_served_alter_no_bill() -> None:
    known = replace(KNOWN, packages=frozenset({"search"}))
    refused = replace(LATER, suspended=True, packages=frozenset({"mail"}), served=False)
    decision = decide(known, refused)
    assert (found(decision), decision.seams) == ([], ())
    assert decision.row == replace(known, generation=2, confirmed_at=at("10:00:00"))
    assert [kind for kind, *_ in found(decide(known, replace(refused, deleted_at=at("10:00:00"))))] == ["deleted"]
    assert [kind for kind, *_ in found(decide(None, replace(refused, generation=1)))] == ["created"]


def sequence(decision: Decision) -> list[int]:
    return [event.seq for event in decision.events]


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


def test_an_imported_tenant_is_adopted_by_the_cluster_that_has_its_uid() -> None:
    imported = replace(KNOWN, cluster_id="", generation=0, confirmed_at=None, last_event_at=at("09:15:00"), last_seq=3)
    decision = decide(imported, replace(LATER, suspended=True, suspend_changed_at=at("09:10:00")))
    assert found(decision) == [("suspended", None, at("09:15:00.000001"), "bounded")]
    assert decision.row is not None
    assert (decision.row.cluster_id, decision.row.last_seq) == ("cluster", 4)


def test_a_uid_of_another_cluster_is_refused() -> None:
    with pytest.raises(OtherCluster, match="belongs to cluster elsewhere, not cluster"):
        decide(replace(KNOWN, cluster_id="elsewhere"), LATER)
