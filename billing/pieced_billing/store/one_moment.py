"""Work in several processes, each with a session of its own, and all of them at one moment of the database."""

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from threading import Thread
from typing import TypeVar

from psycopg import IsolationLevel, sql

from pieced_billing.errors import Unavailable
from pieced_billing.store.connections import Connection, session

Part = TypeVar("Part")
Result = TypeVar("Result")


def at_one_moment(
    connection: Connection,
    url: str,
    work: Callable[[Connection, Part], Result],
    parts: Sequence[Part],
    processes: int,
) -> Iterator[Result]:
    """What `work`, a function of a module or a partial of one, makes of each part, in the order of the parts.

    `connection` is in a repeatable read transaction on the database of `url`; its moment is that of all. No more parts
    are begun than a few before the one that is taken. Raises Unavailable when a process is ended.
    """
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    context = multiprocessing.get_context("spawn")  # a fork would take along what other threads of ours hold
    waiting = iter(parts)
    with ProcessPoolExecutor(processes, context, _begin) as pool:
        try:
            begun = deque(pool.submit(_work, url, row[0], work, part) for part in islice(waiting, 2 * processes))
            while begun:
                result = begun.popleft().result()
                begun.extend(pool.submit(_work, url, row[0], work, part) for part in islice(waiting, 1))
                yield result
        except BrokenProcessPool:
            raise Unavailable("A process of this command was ended, and with it the command.") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Nothing goes on without whoever started the command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started the command decides what Ctrl-C means
    gc.disable()  # bills and facts are trees: looking for cycles in them takes its time
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # the pool's own processes would wait for orders for ever


def _work(url: str, snapshot: str, work: Callable[[Connection, Part], Result], part: Part) -> Result:
    with session(url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            return work(connection, part)
