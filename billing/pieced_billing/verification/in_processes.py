"""A verification in several processes, each at its own organisations, and all of them at one moment of the database."""

import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat
from typing import Final

from psycopg import IsolationLevel, sql

from pieced_billing.errors import Unavailable
from pieced_billing.store.connections import Connection, session
from pieced_billing.verification.certificate import Certificate, Issued
from pieced_billing.verification.scope import organisations
from pieced_billing.verification.verified import Verified
from pieced_billing.verification.verify import Verification

PART_ORGS: Final = 400
"""So many organisations are given to a process at a time."""
_WORTH_PARTS: Final = 4
"""So many parts take longer than it takes to start the processes."""


def verify_in_processes(
    connection: Connection, url: str, against: Certificate | None = None, processes: int | None = None
) -> Verified:
    """Verify all documents as `verify` does, in so many processes; without a number in as many as it is worth.

    `url` is that of the connection's database. Raises Unavailable when a process is ended.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        verification = Verification(connection)
        orgs = [org for some in organisations(connection, None) for org in some]
        parts = [orgs[start : start + PART_ORGS] for start in range(0, len(orgs), PART_ORGS)]
        if processes is None:
            processes = len(os.sched_getaffinity(0)) if len(parts) >= _WORTH_PARTS else 1
        if processes == 1:
            return verification.run(against=against)
        for verified, issued in _parts(connection, url, parts, processes):
            verification.add(verified, issued)
        return verification.finish(against)


def _parts(
    connection: Connection, url: str, parts: Sequence[list[str]], processes: int
) -> Iterator[tuple[Verified, Issued]]:
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    context = multiprocessing.get_context("spawn")  # a fork would take along what other threads of ours hold
    with ProcessPoolExecutor(processes, context, _begin) as pool:
        try:
            yield from pool.map(_part, repeat(url), repeat(row[0]), parts)
        except BrokenProcessPool:
            raise Unavailable("A process of the verification was ended; nothing was found out.") from None


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started the verification decides what Ctrl-C means
    gc.disable()  # facts and documents are trees: looking for cycles in them takes a fifth of the time


def _part(url: str, snapshot: str, orgs: list[str]) -> tuple[Verified, Issued]:
    """Verify some organisations at the moment of a snapshot that another session holds."""
    with session(url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
            return Verification(connection).part(orgs)
