"""Transactions of two messages: one that begins, locks and reads, and one that writes and commits.

Each statement of a transaction costs a round trip, and on a busy machine every one waits for a processor twice. Between
the two messages the session is idle in its transaction, so the limit of the server on that ends it if its process is
frozen; in a pipeline it would not, because a session that expects more statements is not idle.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import psycopg

from pieced_billing.store.connections import Connection


class Executes(Protocol):
    """Who takes statements whose results nobody needs: a connection, or a message."""

    def execute(self, query: str, params: Sequence[Any], /) -> object:
        """Execute a statement, now or when the message is sent."""


class Message:
    """Statements that arrive together or not at all."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = psycopg.ClientCursor(connection)  # values within the text: parameters allow one statement only
        self._statements: list[str] = []

    def execute(self, query: str, params: Sequence[Any] = (), /) -> None:
        """Add a statement."""
        self._statements.append(self._cursor.mogrify(query, params))

    def send(self) -> list[list[tuple[Any, ...]]]:
        """Send what was added; returns the rows of each statement that gives any."""
        text = ";".join(self._statements)
        self._statements.clear()
        self._cursor.execute(text)
        return [result.fetchall() for result in self._cursor.results() if result.description is not None]


@contextmanager
def transaction_of_messages(connection: Connection) -> Iterator[Message]:
    """A transaction that begins with what is first sent of the message, and is committed with what is added after that.

    `connection` must not be in a transaction.
    """
    if connection.closed:
        raise psycopg.OperationalError("the connection is closed")
    connection.autocommit = True  # or psycopg would begin by a message of its own
    try:
        message = Message(connection)
        message.execute("BEGIN")
        yield message
        message.execute("COMMIT")
        message.send()
    except BaseException:
        with suppress(psycopg.Error):
            connection.rollback()
        raise
    finally:
        if not connection.closed:
            connection.autocommit = False
