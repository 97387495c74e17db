"""A connection that writes to the ledger without ever holding up another operator for long."""

from typing import Final

from pieced_billing.store.connections import Connection, connect, outages

_LIMITS: Final = {
    # A process that is frozen inside a transaction keeps its locks until the server ends its session.
    "idle_in_transaction_session_timeout": "10s",
    # Who waits for a lock longer than that tries again, or ends.
    "lock_timeout": "20s",
}


def open_session(url: str) -> Connection:
    """Connect, with a limit on how long locks are held and waited for. Raises Unavailable and Refused."""
    connection = connect(url)
    with outages():
        for name, limit in _LIMITS.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, limit])
        connection.commit()
    return connection
