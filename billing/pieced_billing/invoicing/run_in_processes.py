"""An invoice run in several processes: as long as one writes its batch, the others draft theirs.

Rating is work of one processor, and so is a database's session. The processes share nothing but the database: each has
a session of its own and asks for the next batch when it has finalised one. Numbers are given in the order in which
batches are written, which is not always that of their organisations.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Final, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused, Unavailable
from pieced_billing.invoicing.outcome import Outcome
from pieced_billing.invoicing.run import finalise_batch, load_batches
from pieced_billing.invoicing.wish import WHOLE, Wish
from pieced_billing.store.connections import Connection, session

WORTH_BATCHES: Final = 4
"""So many batches take longer than it takes to start the processes."""
_MOST_PROCESSES: Final = 4
"""More would only wait for each other's writing."""


class _Failed(NamedTuple):
    """Why a process of the run gave up."""

    outage: bool
    reason: str


def run_in_processes(
    connection: Connection, url: str, month: Month, wish: Wish = WHOLE, processes: int | None = None
) -> Iterator[tuple[int, Outcome]]:
    """Finalise a month as `run` does, in so many processes; without a number in as many as it is worth.

    `url` is that of the connection's database. Whatever stops one process, the batches that the others are at are
    finalised and told before it is raised.
    """
    batches = load_batches(connection, month, wish)
    to_come = sum(map(len, batches))
    yield to_come, Outcome()
    if processes is None:
        processes = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES) if len(batches) >= WORTH_BATCHES else 1
    done = (
        ((batch, finalise_batch(connection, month, batch, wish)) for batch in batches)
        if processes == 1
        else _finalised(url, month, wish, batches, processes)
    )
    for batch, outcome in done:
        to_come -= len(batch)
        yield to_come, outcome


def _finalised(
    url: str, month: Month, wish: Wish, batches: list[list[str]], processes: int
) -> Iterator[tuple[list[str], Outcome]]:
    """Batches as they are done, with what became of them."""
    waiting = iter(batches)
    busy: dict[Pipe, list[str]] = {}
    stopped: BaseException | None = None
    with ExitStack() as stack:
        for _, batch in zip(range(processes), waiting, strict=False):
            pipe = _start(stack, url, month, wish)
            _order(pipe, batch)
            busy[pipe] = batch
        while busy:
            try:
                ready = wait(busy)
            except KeyboardInterrupt as interrupt:
                stopped, waiting = interrupt, iter(())
                continue
            for pipe in [pipe for pipe in busy if pipe in ready]:
                batch = busy.pop(pipe)
                answer = _answer(pipe)
                if isinstance(answer, Outcome):
                    following = next(waiting, None)
                    if following is not None:
                        _order(pipe, following)
                        busy[pipe] = following
                    yield batch, answer
                else:
                    stopped, waiting = stopped or _exception(answer), iter(())
    if stopped is not None:
        raise stopped


def _start(stack: ExitStack, url: str, month: Month, wish: Wish) -> Pipe:
    """A process and the pipe to it; it ends when the pipe is closed, whatever becomes of this one."""
    context = multiprocessing.get_context("spawn")  # a fork would take along locks that other threads of ours hold
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, url, month, wish), daemon=True)
    process.start()
    theirs.close()
    stack.callback(process.close)
    stack.callback(process.join)
    stack.callback(ours.close)
    return ours


def _order(pipe: Pipe, batch: list[str]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # a process that is gone has said why, or its end says it
        pipe.send(batch)


def _answer(pipe: Pipe) -> "Outcome | _Failed":
    try:
        answer: Outcome | _Failed = pipe.recv()
    except (EOFError, ConnectionResetError):
        return _Failed(outage=True, reason="A process of the run was ended; the next run goes on where it stopped.")
    return answer


def _exception(failed: _Failed) -> Exception:
    return Unavailable(failed.reason) if failed.outage else Refused(failed.reason)


def _work(orders: Pipe, url: str, month: Month, wish: Wish) -> None:
    """Finalise one batch after the other, as they are ordered."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started the run decides what Ctrl-C means
    gc.disable()  # bills are trees: looking for cycles in them takes a quarter of the time
    with suppress(EOFError, BrokenPipeError):  # whoever wanted the answers is gone
        try:
            with session(url) as connection:
                while True:
                    orders.send(finalise_batch(connection, month, orders.recv(), wish))
        except (Unavailable, Refused) as error:
            orders.send(_Failed(isinstance(error, Unavailable), str(error)))
