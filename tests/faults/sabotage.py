"""What must never pass: a good ledger with an event taken away, moved out of its bounds, doubled or invented."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from tests.faults.checker import check_tenant
from tests.faults.exported import Event
from tests.faults.timeline import Circumstances
from tests.faults.witness import Witnessed

EVENTS = 30
"""Of each tenant."""

_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


def unnoticed(
    log: Witnessed, ledger: dict[str, list[Event]], known: Circumstances, random: Random, tenants: int
) -> tuple[int, list[str]]:
    """Spoil events of some tenants in every way: how many ways there were, and which the checker did not notice."""
    tried, missed = 0, []
    for uid in random.sample(sorted(ledger), min(tenants, len(ledger))):
        chosen = random.sample(range(len(ledger[uid])), min(EVENTS, len(ledger[uid])))
        for what, spoiled in _spoiled(ledger[uid], chosen, known):
            tried += 1
            if not check_tenant(log, uid, spoiled, known):
                missed.append(f"{uid}: {what}")
    return tried, missed


def _spoiled(events: Sequence[Event], chosen: Sequence[int], known: Circumstances) -> Iterator[tuple[str, list[Event]]]:
    for index in chosen:
        event, before, after = events[index], list(events[:index]), list(events[index + 1 :])
        if _is_required(event, known, ended=events[-1].what == "deleted"):
            yield f"{event} taken away", before + after
        yield f"{event} doubled", [*before, event, replace(event, at=event.at + _TICK), *after]
        late = (event.not_after or event.at) + _MINUTE
        yield f"{event} moved to {late}", sorted([*before, replace(event, at=late), *after], key=lambda one: one.at)
        early = (event.not_before or event.at) - _MINUTE
        yield f"{event} moved to {early}", sorted([*before, replace(event, at=early), *after], key=lambda one: one.at)
    last = events[-1]
    stranger = replace(last, what="enabled nobody-asked", at=last.at + _TICK)
    yield f"{stranger} invented", [*events, stranger]


def _is_required(event: Event, known: Circumstances, *, ended: bool) -> bool:
    """Whether it was observable for certain: of what happened in a blind window it is luck what the ledger has.

    The same is true of a tenant that vanished when what was kept with it was not written yet.
    """
    unsure = (*known.blind, *(known.unwritten if ended else ()))
    return not any(window.touches(event.at - _SECOND, event.at + _SECOND) for window in unsure)
