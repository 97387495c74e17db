"""A verification in several processes, each at its own organisations, and all of them at one moment of the database."""

import os
from typing import Final

from psycopg import IsolationLevel

from pieced_billing.store.connections import Connection
from pieced_billing.store.one_moment import at_one_moment
from pieced_billing.verification.certificate import Certificate, Issued
from pieced_billing.verification.scope import organisations
from pieced_billing.verification.verified import Verified
from pieced_billing.verification.verify import Verification

PART_ORGS: Final = 400
"""So many organisations are given to a process at a time."""
_WORTH_PARTS: Final = 4
"""So many parts take longer than it takes to start the processes."""
_MOST_PROCESSES: Final = 4
"""Each has the documents and facts of some hundred organisations in memory, and its share of a server's work."""


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
            processes = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES) if len(parts) >= _WORTH_PARTS else 1
        if processes == 1:
            return verification.run(against=against)
        for verified, issued in at_one_moment(connection, url, _part, parts, processes):
            verification.add(verified, issued)
        return verification.finish(against)


def _part(connection: Connection, orgs: list[str]) -> tuple[Verified, Issued]:
    return Verification(connection).part(orgs)
