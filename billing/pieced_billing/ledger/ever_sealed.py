"""Whether the ledger was ever sealed: then a file of a seal that is not there is a loss, and before it is none."""

from pieced_billing.store.connections import Connection


def note_sealed(connection: Connection) -> None:
    """Note that there is a seal; `connection` must not be inside a transaction."""
    if not ever_sealed(connection):  # an update would wait for invoice runs
        with connection.transaction():
            connection.execute("UPDATE billing_settings SET ledger_sealed = true")


def ever_sealed(connection: Connection) -> bool:
    """Whether a seal was noted; `connection` must not be inside a transaction."""
    with connection.transaction():
        row = connection.execute("SELECT ledger_sealed FROM billing_settings").fetchone()
    assert row is not None
    return bool(row[0])
