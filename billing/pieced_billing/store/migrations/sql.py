"""Plain SQL in a migration."""

from alembic import op


def run(script: str) -> None:
    """Run SQL as it is written: several statements, colons and percent signs included."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(script)
