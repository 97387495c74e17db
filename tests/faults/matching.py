"""Whether the events of one tenant are those of its true history: the pure core of the checker.

Walks along the steps of the history and the events of the ledger at once. Each step is either observed, then the next
events have to be exactly what makes the ledger's state the step's, each within its time; or it was missable and is
missed. All ways of missing are tried. There is no difference if one of them uses up all events.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.faults.exported import Event
from tests.faults.instants import Observed, mistimed
from tests.faults.timeline import Life, Step


@dataclass(frozen=True)
class Fold:
    """What the ledger says after some events."""

    begun: bool = False
    ended: bool = False
    suspended: bool = False
    packages: frozenset[str] = frozenset()

    def then(self, event: Event) -> "Fold | None":
        """The state after one more event; None when that event cannot follow."""
        kind, _, package = event.what.partition(" ")
        possible = {
            "created": not self.begun,
            "deleted": self.begun and not self.ended,
            "suspended": self.begun and not self.suspended,
            "resumed": self.begun and self.suspended,
            "enabled": self.begun and package not in self.packages,
            "disabled": self.begun and package in self.packages,
        }
        if not possible[kind]:
            return None
        packages = {"enabled": self.packages | {package}, "disabled": self.packages - {package}}
        return replace(
            self,
            begun=True,
            ended=self.ended or kind == "deleted",
            suspended={"suspended": True, "resumed": False}.get(kind, self.suspended),
            packages=packages.get(kind, self.packages),
        )


_NOTHING: Final = Fold()
_BEFORE: Final = -1


def difference(steps: Sequence[Step], events: Sequence[Event]) -> str | None:
    """What is wrong with the events of a tenant whose history is `steps`; None when nothing is."""
    folds = [_NOTHING]
    for event in events:
        fold = folds[-1].then(event)
        if fold is None:
            return f"invented or doubled: {event} cannot follow what the ledger says before it"
        folds.append(fold)
    # How many events may be used up after the steps so far, and which step was then the last that was observed.
    reached: dict[int, int] = {0: _BEFORE}
    for position in range(len(steps)):
        following: dict[int, int] = {}
        for used, seen in reached.items():
            for now_used, now_seen in _ways(steps, position, events, folds, used, seen):
                following[now_used] = min(now_seen, following.get(now_used, now_seen))
        if not following:
            used = max(reached)
            return _lost(steps, position, reached[used], folds[used], events[used:])
        reached = following
    if len(events) in reached:
        return None
    return f"invented: {events[max(reached)]}, and nothing of that kind happened then"


def _ways(
    steps: Sequence[Step], position: int, events: Sequence[Event], folds: Sequence[Fold], used: int, seen: int
) -> Iterator[tuple[int, int]]:
    """How the ledger may go on at a step: (events used up, step observed last)."""
    step = steps[position]
    if step.hidden:
        for count in range(len(events) - used + 1):
            if all(_in_window(event, step) for event in events[used : used + count]):
                yield used + count, seen
        return
    if step.missable:
        yield used, seen
    observed = _observed(steps, position, seen, folds[used])
    for wanted in _wanted(folds[used], step, gap=observed.gap):
        said = events[used : used + len(wanted)]
        if {event.what for event in said} == wanted and not any(mistimed(event, observed) for event in said):
            yield used + len(wanted), position


def _observed(steps: Sequence[Step], position: int, seen: int, fold: Fold) -> Observed:
    return Observed(
        step=steps[position],
        previous=steps[position - 1] if position else None,
        since=steps[max(seen, 0)] if seen < position - 1 else None,
        begins=not fold.begun,
    )


def _wanted(fold: Fold, step: Step, *, gap: bool) -> Iterator[set[str]]:
    """The sets of events that make the ledger's state that of a step: one of them has to follow."""
    if step.life is Life.UNLABELLED:
        yield set()
        return
    switches = _switches(fold, step.suspended, step.packages)
    if step.life is Life.ACCEPTED:
        yield set() if fold.ended else switches if fold.begun else {"created", *switches}
        return
    if fold.ended or (not fold.begun and step.life is Life.GONE):
        yield set()  # never observed and gone, or known to have ended
    if fold.ended:
        yield switches  # a switch after the end has no effect and may be recorded
        return
    if gap and fold.begun and step.life is Life.GONE:
        yield {"deleted"}  # inferred from what was observed last
    beginning = set() if fold.begun else {"created"}
    yield {"deleted", *beginning, *switches}
    if step.last is not None:
        yield {"deleted", *beginning, *_switches(fold, *step.last)}


def _switches(fold: Fold, suspended: bool, packages: frozenset[str]) -> set[str]:
    wanted = {f"enabled {package}" for package in packages - fold.packages}
    wanted |= {f"disabled {package}" for package in fold.packages - packages}
    if suspended != fold.suspended:
        wanted.add("suspended" if suspended else "resumed")
    return wanted


def _in_window(event: Event, step: Step) -> bool:
    return step.earliest <= event.at <= step.latest


def _lost(steps: Sequence[Step], position: int, seen: int, fold: Fold, rest: Sequence[Event]) -> str:
    """Why the ledger cannot go on at a step that was observed."""
    step = steps[position]
    where = f"{step.what}, {step.earliest.isoformat()} to {step.latest.isoformat()}"
    gap = _observed(steps, position, seen, fold).gap
    wanted = next(_wanted(fold, step, gap=gap))
    said = rest[: len(wanted)]
    if {event.what for event in said} == wanted:
        reasons = (mistimed(event, _observed(steps, position, seen, fold)) for event in said)
        return f"mistimed at {where}: {'; '.join(filter(None, reasons))}"
    found = {event.what for event in rest}
    strangers = [event for event in rest[: len(wanted) + 1] if event.what not in wanted]
    if wanted <= found:
        return f"invented or out of order before {where}: {_listed(strangers)}"
    return f"lost at {where}: {', '.join(sorted(wanted - found))}; the ledger goes on with {_listed(rest[:2])}"


def _listed(events: Iterable[Event]) -> str:
    return ", ".join(map(str, events)) or "nothing"
