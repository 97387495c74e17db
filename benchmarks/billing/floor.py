"""The floor: the totals of all organisations by one hand-written query, timed, and compared with the invoices."""

import time
from pathlib import Path

import psycopg

from benchmarks.billing.cost import Cost, cpu_of_server
from benchmarks.billing.histories import MONTH
from benchmarks.billing.world import World

_QUERY = Path(__file__).with_name("floor.sql").read_text()
_DIFFERENT = """
SELECT count(*) FROM floor FULL JOIN invoices USING (zitadel_org_id)
WHERE (floor.net, floor.gross) IS DISTINCT FROM (invoices.net, invoices.gross)
"""


def totals_by_sql(world: World, database: str) -> Cost:
    """Work out the totals of every organisation into a table `floor`, with all the memory that a query may want."""
    before, began_at = cpu_of_server(world.postmaster), time.monotonic()
    with psycopg.connect(world.environment(database)["PIECED_OWNER_URL"]) as connection:
        connection.execute("SET LOCAL work_mem = '256MB'")
        connection.execute(f"CREATE TABLE floor AS {_QUERY}")
        connection.execute("GRANT SELECT ON floor TO PUBLIC")
    wall = time.monotonic() - began_at
    return Cost(wall, 0.0, cpu_of_server(world.postmaster) - before, 0.0)


def require_equal_totals(world: World, database: str, organisations: int) -> None:
    """Fail unless every organisation has one invoice of the month, with the floor's net and gross."""
    with psycopg.connect(world.url(database)) as connection:
        row = connection.execute(
            f"SELECT (SELECT count(*) FROM invoices WHERE period_start = '{MONTH}-01'), (SELECT count(*) FROM floor),"
            f" ({_DIFFERENT})"
        ).fetchone()
    assert row == (organisations, organisations, 0), f"invoices, totals and differences: {row}, of {organisations}"
