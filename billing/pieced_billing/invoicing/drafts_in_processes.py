"""Every organisation's draft, made in several processes and all of them at one moment of the database."""

import os
from collections.abc import Generator
from datetime import datetime
from functools import partial

from psycopg import IsolationLevel

from pieced_billing.calendar import Month
from pieced_billing.invoicing.load import drafts_of_one_moment
from pieced_billing.invoicing.run import BATCH_TENANTS
from pieced_billing.invoicing.run_in_processes import WORTH_BATCHES
from pieced_billing.ledger.read import organisations
from pieced_billing.store.connections import Connection
from pieced_billing.store.one_moment import at_one_moment


def draft_documents(
    connection: Connection, url: str, month: Month, as_of: datetime | None = None, processes: int | None = None
) -> Generator[dict[str, object]]:
    """The documents of all drafts, in the order of `drafts`, from so many processes, or from as many as it is worth.

    `url` is that of the connection's database. Raises Unavailable when a process is ended.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        batches = list(organisations(connection, BATCH_TENANTS))
        if processes is None:
            processes = len(os.sched_getaffinity(0)) if len(batches) >= WORTH_BATCHES else 1
        if processes == 1:
            yield from (draft.document() for draft in drafts_of_one_moment(connection, month, None, as_of))
            return
        for documents in at_one_moment(connection, url, partial(_documents, month, as_of), batches, processes):
            yield from documents


def _documents(
    month: Month, as_of: datetime | None, connection: Connection, orgs: list[str]
) -> list[dict[str, object]]:
    return [draft.document() for draft in drafts_of_one_moment(connection, month, orgs, as_of)]
