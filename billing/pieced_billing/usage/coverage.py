"""How much of a tenant's usage is collected from a source, and what to read next. Pure.

A source knows tenants by a name that can be used again; a name has lives, one for each tenant UID.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from pieced_billing.calendar import Microseconds

_MINUTE: Final = 60_000_000

SETTLING: Final = 15 * _MINUTE
"""So long after it happened, usage is certain to be at its source; nothing younger is read."""

OVERLAP: Final = 120 * _MINUTE
"""So much before the end of the last reading the next one begins: what came to the source late is found."""

AFTERLIFE: Final = 24 * 60 * _MINUTE
"""So long after its deletion usage of a tenant is still looked for."""


class Stretch(NamedTuple):
    """Half-open interval `[start, end)` of instants."""

    start: Microseconds
    end: Microseconds


class Life(NamedTuple):
    """A tenant UID under its name, and the stretch of which its usage is collected."""

    uid: str
    created_at: Microseconds
    deleted_at: Microseconds | None
    collected: Stretch | None


def life_at(lives: Sequence[Life], at: Microseconds) -> Life:
    """Whose usage of an instant is, of the lives of one name in their order: the last begun, or the first of all."""
    return next((life for life in reversed(lives) if life.created_at <= at), lives[0])


def at_once(lives: Sequence[Life]) -> bool:
    """Whether two lives of one name overlap, so that nobody can tell whose usage is whose."""
    return any(life.deleted_at is None or life.deleted_at > following.created_at for life, following in pairwise(lives))


def to_read(life: Life, since: Microseconds, asked: Microseconds | None, end: Microseconds) -> Stretch | None:
    """What to read of a life up to `end`: from `asked` on, or from where the last reading ended.

    What was never read, from `since` or the creation on, comes first. The stretch touches what is collected, so that
    the two are one. None where there is nothing to read.
    """
    collected, first = life.collected, max(since, life.created_at)
    if collected is None or collected.start > first:
        start = first
    elif asked is not None:
        start = max(asked, life.created_at)
    else:
        start = max(first, collected.end - OVERLAP)
    if collected is not None:
        start, end = min(start, collected.end), max(end, collected.start)
    if life.deleted_at is not None:
        ended = life.deleted_at + AFTERLIFE
        complete = collected is not None and collected.start <= first and collected.end >= ended
        if ended <= start or (asked is None and complete):
            return None
    return Stretch(start, end) if start < end else None


def joined(collected: Stretch | None, read: Stretch) -> Stretch:
    """What is collected after a reading. One that failed before it touched what is collected adds nothing."""
    if collected is None:
        return read
    if read.end < collected.start or read.start > collected.end:
        return collected
    return Stretch(min(read.start, collected.start), max(read.end, collected.end))
