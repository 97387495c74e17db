"""Whether an event says a time at which its step can have come about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tests.faults.exported import Event
from tests.faults.timeline import Life, Step

_SECOND: Final = timedelta(seconds=1)
_FIELDS: Final = {"suspended": "suspend", "resumed": "suspend", "enabled": "packages", "disabled": "packages"}


@dataclass(frozen=True)
class Observed:
    """A step that was observed, and what is known before it.

    `previous` is the step before it, `since` the last one that was observed where others were missed in between; both
    None at the beginning. `begins`: the ledger knew nothing of the tenant before.
    """

    step: Step
    previous: Step | None
    since: Step | None
    begins: bool

    @property
    def gap(self) -> bool:
        return self.since is not None

    @property
    def labelled_unseen(self) -> bool:
        """Nobody saw the tenant while it had no organisation."""
        return self.since is not None and self.since.life is Life.UNLABELLED


def mistimed(event: Event, observed: Observed) -> str | None:
    """Why the instant of an event cannot be that of its step; None when it can."""
    step = observed.step
    kind = event.what.partition(" ")[0]
    exact = event.quality == "exact"
    vanished = kind == "deleted" and not step.seconds["deleted"]
    undone = vanished or step.undone
    inferred_end = kind == "deleted" and not exact
    if not undone and not inferred_end and event.generation not in (None, step.generation):
        return f"{event} belongs to generation {step.generation}"
    if (event.not_before or not exact) and (reason := _beyond_own_bounds(event, step)):
        return reason
    seconds = _seconds(kind, observed)
    if any(second <= event.at < second + _SECOND for second in seconds):
        return None
    if kind == "created" and observed.labelled_unseen:
        exact = False
    if (exact and (seconds or undone)) or (seconds and not observed.gap and not undone):
        return f"{event} is not in the second of the API server, {_listed(seconds)}"
    earliest = _earliest(observed, undone=undone, exact=exact)
    latest = step.changed_by.get(_FIELDS.get(kind, kind), step.latest)
    if not earliest <= event.at < _next_second(latest):
        return f"{event} is not between {earliest.isoformat()} and {latest.isoformat()}"
    return None


def _seconds(kind: str, observed: Observed) -> frozenset[datetime]:
    """The API server's own instants, as far as they can be of this step."""
    step = observed.step
    if kind in ("created", "deleted"):
        return step.seconds[kind]
    from_then_on = (observed.since or step).earliest
    seconds = frozenset(second for second in step.seconds[_FIELDS[kind]] if second >= from_then_on)
    return seconds | step.seconds["created"] if observed.begins else seconds


def _earliest(observed: Observed, *, undone: bool, exact: bool) -> datetime:
    """From when on the change can have happened: a trace of it is missing, or it was not observed as it happened.

    Then the state before it may be known only by what the resource itself said of its time.
    """
    before = observed.since or (observed.previous if undone or not exact else None)
    return observed.step.earliest if before is None else min(before.earliest, before.dated_at)


def _beyond_own_bounds(event: Event, step: Step) -> str | None:
    if event.not_before is None or event.not_after is None:
        return f"{event} has no bounds"
    if not event.not_before <= event.at <= event.not_after:
        return f"{event} is not within its own bounds, {_bounds(event)}"
    if event.not_before >= _next_second(step.latest):
        return f"{event} excludes by its bounds what happened, {_bounds(event)}"
    return None


def _next_second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0) + _SECOND


def _bounds(event: Event) -> str:
    return " to ".join(bound.isoformat() for bound in (event.not_before, event.not_after) if bound is not None)


def _listed(instants: Iterable[datetime]) -> str:
    return ", ".join(instant.isoformat() for instant in sorted(instants)) or "of which it has none"
