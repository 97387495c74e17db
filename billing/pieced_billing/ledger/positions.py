"""How far the watch of each cluster has come: from there on it is replayed after a restart."""

from pieced_billing.store.connections import Connection


def position(connection: Connection, cluster_id: str) -> int | None:
    """The resource version up to which every version of a tenant has been compared with the ledger, if one is known."""
    record = connection.execute(
        "SELECT resource_version FROM watch_positions WHERE cluster_id = %s", [cluster_id]
    ).fetchone()
    return None if record is None else int(record[0])


def save_position(connection: Connection, cluster_id: str, resource_version: int) -> None:
    """Remember a position, in a transaction of the caller; it may be lower than the last one, after a restore."""
    connection.execute(
        """INSERT INTO watch_positions (cluster_id, resource_version) VALUES (%s, %s)
           ON CONFLICT (cluster_id)
           DO UPDATE SET resource_version = EXCLUDED.resource_version, saved_at = clock_timestamp()""",
        [cluster_id, resource_version],
    )
