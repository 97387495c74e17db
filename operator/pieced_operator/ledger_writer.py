"""Threads that write observations to the ledger: beside all work on Kubernetes, which never waits for them."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Final, TypeAlias

import structlog

from pieced_billing.errors import Unavailable
from pieced_billing.ledger.events import Event
from pieced_billing.ledger.observation import Observation
from pieced_billing.ledger.observe import FetchAgain, observe_and_tell
from pieced_billing.ledger.observe_together import observe_together
from pieced_billing.store.connections import Connection
from pieced_operator import metrics
from pieced_operator.backlog import Backlog, Pending
from pieced_operator.inbox import REPLAY
from pieced_operator.ledger_session import open_session
from pieced_operator.outage import Outage
from pieced_operator.unrecorded import SOURCE as STATUS

log = structlog.get_logger(__name__)

TENANTS_AT_ONCE: Final = 200
"""So many tenants' observations are written in one transaction at the most."""

_WRITERS: Final = 4
_VERSIONS_AT_ONCE: Final = 10
_FIRST_RETRY_SECONDS: Final = 0.1
_LONGEST_RETRY_SECONDS: Final = 5.0
_PARKED_SECONDS: Final = 30.0
_SILENT_SECONDS: Final = 15.0

Committed: TypeAlias = Callable[[Observation, list[Event]], None]
"""Called in the event loop for each observation that has been committed, with the events that it added."""


@dataclass(slots=True)
class _Progress:
    """How far the observations of one tenant got: what was written, what was not, and why not."""

    uid: str
    rest: list[Pending]
    written: list[tuple[Pending, list[Event]]] = field(default_factory=list)
    error: Exception | None = None

    @property
    def outage(self) -> bool:
        return isinstance(self.error, Unavailable)


_Written: TypeAlias = tuple[Connection | None, list[_Progress]]
"""What a job gives: the connection if it is still good, and how far each tenant got."""


class LedgerWriter:
    """Takes from the backlog and writes: in order per tenant, again after an outage, and each tenant for itself."""

    def __init__(
        self,
        url: str,
        backlog: Backlog,
        outage: Outage,
        fetch_again: Callable[[str], FetchAgain],
        committed: Committed,
    ) -> None:
        self._url = url
        self._backlog = backlog
        self._outage = outage
        self._fetch_again = fetch_again
        self._committed = committed
        self._answered_at = 0.0
        self._threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="ledger")

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_WRITERS):
                    group.create_task(self._write_forever())
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _write_forever(self) -> None:
        connection: Connection | None = None
        delay = _FIRST_RETRY_SECONDS
        loop = asyncio.get_running_loop()
        try:
            while True:
                taken = await self._backlog.take(TENANTS_AT_ONCE)
                writing, connection = loop.run_in_executor(self._threads, self._write, connection, taken), None
                connection, progress = await self._until_written(writing)
                for one in progress:
                    self._settle(one)
                outage = next((one.error for one in progress if one.outage), None)
                metrics.LEDGER_DATABASE_UP.set(0 if outage else 1)
                if outage is None:
                    delay = _FIRST_RETRY_SECONDS
                    self._outage.ended()
                    continue
                self._outage.began()
                metrics.ERRORS.labels("database").inc()
                log.warning("ledger waits for its database", error=str(outage), waiting=len(self._backlog))
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_RETRY_SECONDS)
        finally:
            if connection is not None:
                connection.close()

    async def _until_written(self, writing: "asyncio.Future[_Written]") -> _Written:
        """Wait for a job. A database that keeps its connections and says nothing for long is away as well."""
        begun_at = time.monotonic()
        try:
            while not (await asyncio.wait({writing}, timeout=_SILENT_SECONDS))[0]:
                if time.monotonic() - max(begun_at, self._answered_at) >= _SILENT_SECONDS:
                    self._outage.began()
                    metrics.LEDGER_DATABASE_UP.set(0)
                    log.warning("ledger's database is silent", waiting=len(self._backlog))
            return writing.result()
        finally:
            writing.cancel()

    def _settle(self, progress: _Progress) -> None:
        """Report what was written and give back what was not."""
        now = asyncio.get_running_loop().time()
        for pending, events in progress.written:
            metrics.LEDGER_COMMIT_LAG.observe(now - pending.since)
            for event in events:
                metrics.LEDGER_EVENTS.labels(event.kind).inc()
        if progress.error is None:
            self._backlog.committed(progress.uid)
        elif progress.outage:
            self._backlog.put_back(progress.uid, progress.rest)
        else:
            metrics.ERRORS.labels("ledger").inc()
            log.error("tenant parked: the ledger refuses it", uid=progress.uid, error=repr(progress.error))
            self._backlog.park(progress.uid)
            asyncio.get_running_loop().call_later(_PARKED_SECONDS, self._backlog.put_back, progress.uid, progress.rest)
        for pending, events in progress.written:
            self._committed(pending.seen, events)

    def _write(self, connection: Connection | None, taken: list[list[Pending]]) -> _Written:
        """In a thread: write what was taken; returns the connection if it is still good, and how far it got."""
        progress = [_Progress(queue[0].seen.uid, queue) for queue in taken]
        try:
            if connection is None or connection.closed:
                connection = open_session(self._url)
            self._write_together(connection, progress)
            for one in progress:
                self._write_one(connection, one)
                if one.outage:
                    raise one.error  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - the edge of a job: it is reported, and what was taken is given back
            for one in progress:
                one.error = one.error or (error if one.rest else None)
            if connection is not None:
                connection.close()
            return None, progress
        return connection, progress

    def _write_together(self, connection: Connection, progress: list[_Progress]) -> None:
        """Write what can be written in few transactions, none of them a long one; the rest is left for one by one."""
        waiting = progress
        while waiting:
            portions = [[pending.seen for pending in one.rest[:_VERSIONS_AT_ONCE]] for one in waiting]
            try:
                decided = observe_together(connection, portions)
            except Unavailable:
                raise
            except Exception:
                log.exception("not written together", tenants=len(waiting))
                metrics.ERRORS.labels("defect").inc()
                return
            self._answered_at = time.monotonic()
            for one, decisions in zip(waiting, decided, strict=True):
                for decision in decisions:
                    one.written.append((one.rest.pop(0), list(decision.events)))
            done = [len(portion) == len(decisions) for portion, decisions in zip(portions, decided, strict=True)]
            waiting = [one for one, whole in zip(waiting, done, strict=True) if whole and one.rest]

    def _write_one(self, connection: Connection, progress: _Progress) -> None:
        try:
            while progress.rest:
                pending = progress.rest[0]
                # That the ledger is ahead of what is told late says nothing of the cluster.
                late = pending.seen.source in (REPLAY, STATUS)
                fetch_again = None if late else self._fetch_again(pending.seen.uid)
                decision = observe_and_tell(connection, pending.seen, fetch_again)
                self._answered_at = time.monotonic()
                progress.written.append((pending, list(decision.events)))
                for seam in decision.seams:
                    log.warning("history has a seam", tenant=pending.seen.tenant, **asdict(seam))
                del progress.rest[0]
        except Exception as error:  # noqa: BLE001 - the edge of a job: one tenant's defect must not stop the others
            progress.error = error
