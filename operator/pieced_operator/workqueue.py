"""A queue of keys to work on: each key at most once at a time, changes meanwhile lead to one more round."""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

FIRST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 15.0

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """What is to be reconciled next, in the order of the first request; for one event loop only.

    A key that is added while it is worked on is handed out again afterwards, once: what to do is read when the work
    begins, so the latest state wins. Keys that fail come back after a growing delay.
    """

    def __init__(self) -> None:
        self._ready: deque[Key] = deque()
        self._wanted: set[Key] = set()
        self._running: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._wanted | self._running)

    def add(self, key: Key) -> None:
        """Ask for a round of work on the key, now."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._wanted:
            return
        self._wanted.add(key)
        if key not in self._running:
            self._ready.append(key)
            self._wake.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Ask for a round of work on the key later, unless one is asked for sooner."""
        if key in self._wanted:
            return
        when = asyncio.get_running_loop().time() + seconds
        timer = self._timers.get(key)
        if timer is None or when < timer.when():
            if timer is not None:
                timer.cancel()
            self._timers[key] = asyncio.get_running_loop().call_at(when, self.add, key)

    async def take(self) -> Key:
        """The next key to work on; `done` or `failed` must follow."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key = self._ready.popleft()
        self._wanted.discard(key)
        self._running.add(key)
        return key

    def done(self, key: Key) -> None:
        """The work on the key went well."""
        self._failures.pop(key, None)
        self._release(key)

    def failed(self, key: Key) -> None:
        """The work on the key did not go well: it comes back after a delay that doubles with each failure."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._release(key)
        self.add_after(key, min(FIRST_RETRY_SECONDS * 2**failures, LONGEST_RETRY_SECONDS))

    def _release(self, key: Key) -> None:
        self._running.discard(key)
        if key in self._wanted:
            self._ready.append(key)
            self._wake.set()


class Queues:
    """All work of an operator: tenants' uids seen for the first time, tenants' uids, packages' names."""

    def __init__(self) -> None:
        self.first_sight: WorkQueue[str] = WorkQueue()
        self.tenants: WorkQueue[str] = WorkQueue()
        self.packages: WorkQueue[str] = WorkQueue()

    def __len__(self) -> int:
        return len(self.first_sight) + len(self.tenants) + len(self.packages)
