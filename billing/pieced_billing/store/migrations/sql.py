"""Plain SQL in a migration."""

from alembic import op

from pieced_billing import faults


def run(script: str) -> None:
    """Run SQL as it is written: several statements, colons and percent signs included."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(script)
    faults.point("upgrade.after_statement")
