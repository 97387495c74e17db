"""The checker, checked: a good ledger passes, and whatever is taken from it, added or moved is found and named."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.faults.audited import NINE, Log
from tests.faults.checker import check
from tests.faults.timeline import Circumstances, Restore, Window

Line = dict[str, Any]
NOTHING = Circumstances()


def said(log: Log, lines: Sequence[Line], known: Circumstances = NOTHING) -> list[str]:
    """What the checker says, without the tenant's name."""
    return [difference.says for difference in check(log.entries, [json.dumps(line) for line in lines], known)]


def event(kind: str, second: float, uid: str = "u1", **more: Any) -> Line:
    """An exact event at a second after nine."""
    return {"kind": kind, "uid": uid, "at": instant(second), "quality": "exact", **more}


def bounded(kind: str, second: float, since: float, until: float, uid: str = "u1", **more: Any) -> Line:
    """An event of which the ledger knows an interval."""
    bounds = {"not_before": instant(since), "not_after": instant(until), "quality": "bounded"}
    return event(kind, second, uid) | bounds | more


def created(second: float, uid: str = "u1", **more: Any) -> Line:
    return event("created", second, uid, tenant="acme", org="310001", **more)


def instant(second: float) -> str:
    return (NINE + timedelta(seconds=second)).isoformat()


def window(start: float, end: float) -> Window:
    return Window(NINE + timedelta(seconds=start), NINE + timedelta(seconds=end), "test")


def a_life() -> tuple[Log, list[Line]]:
    """A tenant from its creation to its deletion, with all of the log's traps, and the next of its name."""
    log = Log()
    log.package("search", 0)
    log.package("telegram", 1)
    log.create("u1", 10.2, packages=["search"])
    log.accept("u1", 10.4)
    log.change("u1", 20.1, suspend=True)
    log.change_nothing("u1", 21)
    log.change("u1", 30.5, packages=["search", "telegram"], suspend=False)
    log.try_out("u1", 31, suspend=True)
    log.change("u1", 32, packages=["telegram", "search"])
    log.change("u1", 40.1, packages=["search", "telegram", "late"])
    log.package("late", 45.3)
    log.change("u1", 50.1, suspend=True)
    log.change("u1", 50.2, suspend=False)
    log.change("u1", 50.3, suspend=True)
    log.delete("u1", 60.7)
    log.change("u1", 61, suspend=False)
    log.release("u1", 70.2)
    log.create("u2", 70.4, suspend=True)
    log.accept("u2", 70.6)
    ledger = [
        created(10, generation=1),
        event("enabled", 10.000001, package="search", generation=1),
        event("suspended", 20, generation=2),
        event("enabled", 30, package="telegram", generation=3),
        event("resumed", 30.000001, generation=3),
        event("enabled", 45, package="late", generation=5),
        event("suspended", 50, generation=6),
        event("resumed", 50.000001, generation=7),
        event("suspended", 50.000002, generation=8),
        event("deleted", 60, generation=9),
        created(70, "u2", generation=1),
        event("suspended", 70.000001, "u2", generation=1),
    ]
    return log, ledger


LIFE = range(len(a_life()[1]))
WITHIN_ONE_WRITE = 3


def test_a_good_ledger_has_no_differences() -> None:
    assert said(*a_life()) == []


@pytest.mark.parametrize("index", LIFE)
def test_an_event_that_is_lost_is_found(index: int) -> None:
    log, ledger = a_life()
    found, *_ = said(log, ledger[:index] + ledger[index + 1 :])
    assert found.startswith(("lost", "invented or doubled")), found  # what follows a lost one cannot follow


@pytest.mark.parametrize("index", LIFE)
@pytest.mark.parametrize("seconds", [-1.5, 1.5, 3600])
def test_an_event_that_is_moved_is_found(index: int, seconds: float) -> None:
    log, ledger = a_life()
    moved = {
        **ledger[index],
        "at": (datetime.fromisoformat(ledger[index]["at"]) + timedelta(seconds=seconds)).isoformat(),
    }
    assert said(log, [*ledger[:index], moved, *ledger[index + 1 :]])


@pytest.mark.parametrize("index", LIFE)
def test_an_event_that_is_doubled_is_found(index: int) -> None:
    log, ledger = a_life()
    again = {
        **ledger[index],
        "at": (datetime.fromisoformat(ledger[index]["at"]) + timedelta(microseconds=9)).isoformat(),
    }
    for copy in (ledger[index], again):
        assert said(log, [*ledger[: index + 1], copy, *ledger[index + 1 :]])


@pytest.mark.parametrize("index", [index for index in LIFE[:-3] if index != WITHIN_ONE_WRITE])
def test_events_that_changed_places_are_found(index: int) -> None:
    log, ledger = a_life()
    assert said(log, swapped(ledger, index))


def test_within_one_write_the_order_is_free() -> None:
    log, ledger = a_life()
    assert said(log, swapped(ledger, WITHIN_ONE_WRITE)) == []


@pytest.mark.parametrize(
    "invented",
    [
        [event("resumed", 25), event("suspended", 25.000001)],
        [event("enabled", 55, package="nobody-asked")],
        [event("disabled", 20.5, package="search"), event("enabled", 20.6, package="search")],
        [event("resumed", 65)],
        [created(5, "u3")],
    ],
)
def test_events_that_nothing_stands_for_are_found(invented: list[Line]) -> None:
    log, ledger = a_life()
    ledger = sorted([*ledger, *invented], key=lambda line: (line["uid"], line["at"]))
    (found,) = said(log, ledger)
    assert "invented" in found, found


@pytest.mark.parametrize("change", [{"org": "310009"}, {"tenant": "acme-2"}, {"generation": 2}])
def test_a_wrong_name_organisation_or_generation_is_found(change: Line) -> None:
    log, ledger = a_life()
    assert said(log, [{**ledger[0], **change}, *ledger[1:]])


def test_a_name_belongs_to_one_tenant_at_a_time() -> None:
    log, ledger = Log(), [created(10), event("deleted", 10.5), created(10.3, "u2")]
    for uid in ("u1", "u2"):
        log.create(uid, 10.1)
        log.accept(uid, 10.2)
    log.delete("u1", 10.25)
    log.release("u1", 10.3)
    (found,) = said(log, ledger)
    assert "predecessor" in found


def away(*, on: bool) -> Log:
    """A tenant that is suspended (and resumed, and suspended) while nobody observes."""
    log = Log()
    log.create("u1", 10)
    log.accept("u1", 10.1)
    log.change("u1", 30.2, suspend=True)
    log.change("u1", 32.2, suspend=False)
    if on:
        log.change("u1", 34.2, suspend=True)
    log.accept("u1", 50)
    return log


AWAY = Circumstances(blind=(window(25, 40),))


def test_what_was_taken_back_while_nobody_observed_may_be_missed_but_not_otherwise() -> None:
    assert said(away(on=False), [created(10)], AWAY) == []
    (found,) = said(away(on=False), [created(10)])
    assert found.startswith("lost")


def test_what_is_so_after_a_gap_must_be_known_with_bounds_around_it() -> None:
    assert said(away(on=True), [created(10), bounded("suspended", 34, 11, 41)], AWAY) == []
    assert said(away(on=True), [created(10), bounded("suspended", 34, 11, 41, generation=4)], AWAY) == []
    assert said(away(on=True), [created(10)], AWAY)


@pytest.mark.parametrize(
    "wrong",
    [
        event("suspended", 33),  # exact, but nothing was written in that second
        bounded("suspended", 34, 35, 41),  # outside its own bounds
        bounded("suspended", 36, 35.5, 41),  # after the last write
        bounded("suspended", 9, 8, 41),  # before anything was known
        {**bounded("suspended", 34, 11, 41), "not_after": None},
        bounded("suspended", 34, 11, 41, generation=3),
    ],
)
def test_an_instant_outside_the_gap_is_found(wrong: Line) -> None:
    line = {key: value for key, value in wrong.items() if value is not None}
    assert said(away(on=True), [created(10), line], AWAY)


def test_a_tenant_that_nobody_ever_saw_is_not_missed() -> None:
    log = Log()
    log.create("u1", 30)
    log.delete("u1", 31)
    assert said(log, [], AWAY) == []
    assert said(log, [])


def test_a_tenant_that_vanished_ends_between_the_last_time_that_it_told_and_its_removal() -> None:
    log = Log()
    log.create("u1", 10)
    log.accept("u1", 11)
    log.change("u1", 20, suspend=True)
    log.release("u1", 30)
    log.delete("u1", 33.5)
    begin = [created(10), event("suspended", 20)]
    end = bounded("deleted", 20.000001, 20, 41, quality="inferred", generation=2)
    assert said(log, [*begin, end]) == []
    assert said(log, [*begin, {**end, "at": instant(35)}])
    assert said(log, [*begin, event("deleted", 33)])
    assert said(log, begin)


def test_an_end_that_nobody_saw_may_be_inferred() -> None:
    log = Log()
    log.create("u1", 10)
    log.accept("u1", 11)
    log.delete("u1", 30)
    log.release("u1", 31)
    end = bounded("deleted", 24.000001, 24, 41, quality="inferred", generation=1)
    assert said(log, [created(10), end], AWAY) == []
    assert said(log, [created(10), end])


def test_a_tenant_exists_from_its_label_on() -> None:
    log = Log()
    log.create("u1", 10, org=None, suspend=True)
    log.label("u1", "310001", 20.5)
    log.accept("u1", 21)
    ledger = [created(20), event("suspended", 20.000001)]
    assert said(log, ledger) == []
    assert said(log, [created(10), event("suspended", 10.000001)])
    assert said(log, [])


def test_lines_that_a_killed_api_server_took_with_it_are_no_excuse_for_what_is_known() -> None:
    log = Log()
    log.create("u1", 10)
    log.accept("u1", 11)
    log.change("u1", 30.2, suspend=True, lost=True)
    log.change("u1", 32.2, suspend=False)
    ledger = [created(10), event("suspended", 30, generation=2), event("resumed", 32, generation=3)]
    killed = Circumstances(unlogged=(window(29, 31),))
    assert said(log, ledger, killed) == []
    assert "lacks" in said(log, ledger)[0]
    assert said(log, ledger[:2], killed)
    assert said(log, [*ledger[:2], event("resumed", 34, generation=3)], killed)


def test_what_was_kept_with_a_tenant_may_be_lost_with_it_but_not_otherwise() -> None:
    def log(*, gone: bool) -> Log:
        log = Log()
        log.create("u1", 10)
        log.accept("u1", 11)
        log.change("u1", 30.2, suspend=True)
        if gone:
            log.delete("u1", 34)
            log.release("u1", 35)
        return log

    died = Circumstances(unwritten=(window(25, 40),))
    inferred = {**bounded("deleted", 11.000001, 11, 41), "quality": "inferred"}
    assert said(log(gone=True), [created(10), inferred], died) == []
    assert said(log(gone=True), [created(10), inferred], Circumstances(unwritten=(window(25, 34.5),)))
    assert said(log(gone=True), [created(10), inferred])
    assert said(log(gone=True), [created(10)], died)
    assert said(log(gone=False), [created(10)], died)


def test_after_a_restore_the_state_that_came_back_is_recorded() -> None:
    log = Log()
    log.create("u1", 10)
    log.accept("u1", 11)
    log.change("u1", 30.2, suspend=True)
    log.back_to("u1", 1)
    log.change("u1", 60.2, packages=[])
    resumed = bounded("resumed", 30.5, 30.2, 41, generation=1)
    known = Circumstances(restores=(Restore(NINE + timedelta(seconds=20), NINE + timedelta(seconds=40)),))
    ledger = [created(10), event("suspended", 30, generation=2), resumed]
    assert said(log, ledger, known) == []
    assert said(log, ledger[:2], known)
    assert said(log, ledger[:1], known)


def swapped(ledger: Sequence[Line], index: int) -> list[Line]:
    """The ledger with two neighbours that have each other's instants."""
    one, other = ledger[index : index + 2]
    changed = [{**other, "at": one["at"]}, {**one, "at": other["at"]}]
    return [*ledger[:index], *changed, *ledger[index + 2 :]]
