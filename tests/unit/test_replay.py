"""What changed while nobody watched is told as it was written, or as it was listed where that is forgotten."""

from collections.abc import Sequence
from typing import Any

from pieced_operator.replay import FirstList, Replay


def version(uid: str, number: int) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": str(number)}}


class Told:
    """A replay of tenants listed at 100 and what it told, as (uid, version, how)."""

    def __init__(self, **listed: int) -> None:
        unseen = {uid: (version(uid, number), 5.0) for uid, number in listed.items()}
        self.told: list[tuple[str, int, str]] = []
        self.replay = Replay(FirstList(100, 50, unseen), self._replayed, self._listed)

    def arrive(self, *versions: tuple[str, int], gone: Sequence[int] = ()) -> list[bool]:
        return [self.replay.arrived(version(uid, number), number in gone) for uid, number in versions]

    def _replayed(self, resource: dict[str, Any], gone: bool) -> None:
        self._note(resource, "gone" if gone else "replayed")

    def _listed(self, resource: dict[str, Any], asked_at: float) -> None:
        assert asked_at == 5.0
        self._note(resource, "listed")

    def _note(self, resource: dict[str, Any], how: str) -> None:
        metadata = resource["metadata"]
        self.told.append((metadata["uid"], int(metadata["resourceVersion"]), how))


def test_nothing_is_told_before_all_that_was_listed_has_come_and_then_all_in_order() -> None:
    told = Told(a=70, b=80)
    assert told.arrive(("a", 60), ("a", 70), ("c", 75)) == [True, True, True]
    assert told.told == []
    assert told.arrive(("b", 80)) == [True]
    assert told.told == [("a", 60, "replayed"), ("a", 70, "replayed"), ("c", 75, "replayed"), ("b", 80, "replayed")]
    assert told.replay.is_complete()


def test_a_tenant_that_changed_after_the_list_is_not_waited_for_in_the_listed_version() -> None:
    told = Told(a=70)
    told.arrive(("a", 110))
    assert told.told == [("a", 110, "replayed")]


def test_a_tenant_that_vanished_after_the_list_is_not_waited_for() -> None:
    told = Told(a=70)
    told.arrive(("a", 70), gone=[70])
    assert told.told == [("a", 70, "gone")]


def test_after_it_what_is_newer_than_the_list_is_news() -> None:
    told = Told(a=70)
    told.arrive(("a", 70))
    assert told.arrive(("d", 90), ("a", 101)) == [True, False]
    assert told.told[1:] == [("d", 90, "replayed")]


def test_what_is_forgotten_is_told_as_listed_after_what_did_come() -> None:
    told = Told(a=70, b=80)
    told.arrive(("a", 60))
    assert told.replay.give_up() == 2
    assert told.told == [("a", 60, "replayed"), ("a", 70, "listed"), ("b", 80, "listed")]
    assert told.replay.give_up() == 0


def test_where_nothing_had_changed_there_is_nothing_to_wait_for() -> None:
    assert Told().replay.is_complete()
