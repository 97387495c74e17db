"""Observations on their way to the ledger: in order per tenant, bounded in all, for as long as the database is away."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pieced_billing.ledger.observation import Observation
from pieced_operator import metrics

LIMIT: Final = 100_000
"""Observations kept in memory, about half a kilobyte each."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An observation that is not committed yet, and the monotonic instant since when it waits."""

    seen: Observation
    since: float


class Backlog:
    """A queue per tenant uid. A uid is taken with all that waits for it, by one taker at a time.

    Who has nothing but what `can_wait` is taken after all others: a sweep confirms every tenant at once, and no change
    shall stand behind that.

    Beyond LIMIT a tenant's newest observation replaces the one before it that still waits: the ledger then sees the
    generation jump and marks the gap.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Pending]] = {}
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._ready_last: OrderedDict[str, None] = OrderedDict()
        self._taken: dict[str, list[Pending]] = {}
        self._parked: set[str] = set()
        self._changed: set[str] = set()
        self._size = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return self._size + len(self._taken)

    def waits_for(self, uid: str) -> bool:
        """Whether anything of this tenant is not committed yet."""
        return uid in self._waiting or uid in self._taken

    def uids(self) -> set[str]:
        """The tenants of which something is not committed yet."""
        return {*self._waiting, *self._taken}

    def pending(self, uid: str) -> list[Pending]:
        """What is not committed yet of this tenant, in order."""
        return [*self._taken.get(uid, ()), *self._waiting.get(uid, ())]

    def changed_since_last_asked(self) -> set[str]:
        """The tenants of which something was queued since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def oldest_since(self) -> float | None:
        """Since which monotonic instant the longest waiting observation waits."""
        return min((first.since for first in self._first_of_each()), default=None)

    def lowest_version(self) -> int | None:
        """The lowest resource version that is not committed yet; what is parked holds up nobody else."""
        return min((first.seen.resource_version for first in self._first_of_each(self._parked)), default=None)

    def put(self, seen: Observation, *, can_wait: bool = False) -> None:
        """Queue an observation behind those of the same tenant."""
        metrics.OBSERVATIONS.labels(seen.source).inc()
        pending = Pending(seen, asyncio.get_running_loop().time())
        self._changed.add(seen.uid)
        queue = self._waiting.setdefault(seen.uid, deque())
        if queue and self._size >= LIMIT:
            metrics.OBSERVATIONS_DROPPED.inc()
            queue[-1] = Pending(seen, queue[-1].since)
        else:
            queue.append(pending)
            self._size += 1
        if seen.uid in self._taken:
            return
        if not can_wait:
            self._release(seen.uid)
        elif seen.uid not in self._ready:
            self._ready_last[seen.uid] = None
            self._filled.set()

    async def take(self, most_uids: int) -> list[list[Pending]]:
        """All that waits for up to `most_uids` tenants, a list each, of which the taker removes what it has written.

        `committed` or `put_back` must follow for each.
        """
        while not (self._ready or self._ready_last):
            self._filled.clear()
            await self._filled.wait()
        ready = self._ready or self._ready_last
        taken: list[list[Pending]] = []
        while ready and len(taken) < most_uids:
            uid, _ = ready.popitem(last=False)
            queue = list(self._waiting.pop(uid))
            self._size -= len(queue)
            self._taken[uid] = queue
            taken.append(queue)
        return taken

    def committed(self, uid: str) -> None:
        """What was taken of this tenant is in the ledger."""
        del self._taken[uid]
        if uid in self._waiting:
            self._release(uid)

    def park(self, uid: str) -> None:
        """What was taken of this tenant cannot be committed for now; it stays taken until it is put back."""
        self._parked.add(uid)

    def put_back(self, uid: str, remaining: Iterable[Pending]) -> None:
        """What was taken of this tenant is not in the ledger, or not all: it comes first again."""
        del self._taken[uid]
        self._parked.discard(uid)
        queue = deque(remaining)
        self._size += len(queue)
        queue.extend(self._waiting.get(uid, ()))
        if queue:
            self._waiting[uid] = queue
            self._release(uid)

    def _first_of_each(self, without: AbstractSet[str] = frozenset()) -> Iterator[Pending]:
        """The longest waiting of each tenant; a writer takes what it has written off what it took, in its thread."""
        for uid, queue in (*self._waiting.items(), *self._taken.items()):
            if uid not in without and (first := next(iter(queue), None)) is not None:
                yield first

    def _release(self, uid: str) -> None:
        self._ready_last.pop(uid, None)
        self._ready[uid] = None
        self._filled.set()
