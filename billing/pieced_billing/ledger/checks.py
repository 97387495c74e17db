"""What the checks of the ledger found, kept: the operator's metrics tell of the latest."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from psycopg.types.json import Jsonb

from pieced_billing.ledger.discrepancy import Disagreement, Discrepancy
from pieced_billing.store.connections import Connection


class Check(NamedTuple):
    """When a cluster was last checked, and how many discrepancies there were of every kind."""

    checked_at: datetime
    counts: dict[str, int]


def save_check(connection: Connection, cluster_id: str, found: Iterable[Discrepancy]) -> None:
    """Keep the numbers of a check."""
    counts = Counter(str(one.kind) for one in found)
    connection.execute("INSERT INTO ledger_checks (cluster_id, counts) VALUES (%s, %s)", [cluster_id, Jsonb(counts)])


def latest_check(connection: Connection, cluster_id: str) -> Check | None:
    """The latest check of a cluster, if there was one."""
    record = connection.execute(
        "SELECT checked_at, counts FROM ledger_checks WHERE cluster_id = %s ORDER BY checked_at DESC LIMIT 1",
        [cluster_id],
    ).fetchone()
    return None if record is None else Check(record[0], dict.fromkeys(map(str, Disagreement), 0) | record[1])
