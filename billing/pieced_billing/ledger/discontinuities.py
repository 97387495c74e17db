"""Where the history of a tenant has a seam: what lies there was not seen, and is not guessed."""

from collections.abc import Iterable
from typing import Final

from pieced_billing.ledger.observation import Discontinuity, LedgerRow, Reason
from pieced_billing.store.connections import Connection

_COLUMNS: Final = "reason, epoch, generation_before, generation_after, predecessor_uid, not_before, not_after, source"


def append(connection: Connection, row: LedgerRow, found: Iterable[Discontinuity]) -> None:
    """Record the seams that an observation found; one that is recorded already stays as it is."""
    for one in found:
        connection.execute(
            f"""INSERT INTO tenant_discontinuities (cluster_id, tenant_uid, tenant_name, {_COLUMNS})
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                ON CONFLICT ON CONSTRAINT tenant_discontinuities_once DO NOTHING""",  # noqa: S608 - our own columns
            [
                row.cluster_id,
                row.uid,
                row.tenant,
                str(one.reason),
                one.epoch,
                one.generation_before,
                one.generation_after,
                one.predecessor_uid,
                one.not_before,
                one.not_after,
                one.source,
            ],
        )


def of_tenant(connection: Connection, uid: str) -> list[Discontinuity]:
    """The seams in the history of a UID, in the order of their recording."""
    query = f"SELECT {_COLUMNS} FROM tenant_discontinuities WHERE tenant_uid = %s ORDER BY id"  # noqa: S608 - constant
    return [Discontinuity(*record) for record in connection.execute(query, [uid])]


def count(connection: Connection, cluster_id: str) -> dict[str, int]:
    """How many seams the histories of a cluster's tenants have, for every reason that there can be."""
    records = connection.execute(
        "SELECT reason, count(*) FROM tenant_discontinuities WHERE cluster_id = %s GROUP BY reason", [cluster_id]
    )
    return dict.fromkeys(map(str, Reason), 0) | dict(records.fetchall())
