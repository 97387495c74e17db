"""All that the ledger says, UID by UID: what a check reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Final

from pieced_billing.ledger import rows
from pieced_billing.ledger.events import Event
from pieced_billing.ledger.observation import LedgerRow
from pieced_billing.ledger.show import COLUMNS, event_of
from pieced_billing.store.connections import Connection

_AT_ONCE: Final = 5000
_ROWS: Final = f"SELECT {rows.COLUMNS} FROM tenant_billing_lifecycle"  # noqa: S608 - our own columns
_EVENTS: Final = f"""
SELECT {COLUMNS}, NULL FROM tenant_lifecycle_events
UNION ALL SELECT {COLUMNS}, skill_id FROM tenant_skill_events
UNION ALL SELECT {COLUMNS}, NULL FROM tenant_suspension_events
ORDER BY tenant_uid, seq
"""  # noqa: S608 - our own columns


@contextmanager
def unchanging(connection: Connection) -> Iterator[None]:
    """A transaction in which everything is read as it was at one instant."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def all_rows(connection: Connection) -> dict[str, LedgerRow]:
    """The row of every tenant UID, ended or not."""
    return {row.uid: row for row in map(rows.row_of, connection.execute(_ROWS))}


def all_events(connection: Connection) -> Iterator[tuple[str, list[Event]]]:
    """The events of each tenant UID that has any, by `seq`; streamed."""
    with connection.cursor("all_events") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_EVENTS)
        for uid, records in groupby(cursor, key=lambda record: record[1]):
            yield uid, [event_of(record) for record in records]
