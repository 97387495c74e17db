"""Where the history of a tenant has a seam: what lies there was not seen, and is not guessed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.observation import Discontinuity, LedgerRow, Reason
from pieced_billing.store.connections import Connection

_COLUMNS: Final = "reason, epoch, generation_before, generation_after, predecessor_uid, not_before, not_after, source"


@dataclass(frozen=True, slots=True)
class RecordedSeam:
    """A seam, when the database recorded it, and its place in the UID's hash chain (None: it was put in by hand)."""

    seam: Discontinuity
    recorded_at: datetime
    link: int | None

    def document(self) -> dict[str, Any]:
        """The seam as JSON values."""
        seam = self.seam
        return {
            "reason": seam.reason,
            "epoch": seam.epoch,
            "generation_before": seam.generation_before,
            "generation_after": seam.generation_after,
            "predecessor_uid": seam.predecessor_uid,
            "not_before": instant_text(seam.not_before),
            "not_after": instant_text(seam.not_after),
            "source": seam.source,
            "recorded_at": instant_text(self.recorded_at),
        }


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


def of_tenant(connection: Connection, uid: str) -> list[RecordedSeam]:
    """The seams in the history of a UID, in the order of their recording."""
    query = f"""
        SELECT recorded_at, link, {_COLUMNS} FROM tenant_discontinuities WHERE tenant_uid = %s ORDER BY id
    """  # noqa: S608 - our own columns
    return [
        RecordedSeam(Discontinuity(*seam), recorded_at, link)
        for recorded_at, link, *seam in connection.execute(query, [uid])
    ]


def count(connection: Connection, cluster_id: str) -> dict[str, int]:
    """How many seams the histories of a cluster's tenants have, for every reason that there can be."""
    records = connection.execute(
        "SELECT reason, count(*) FROM tenant_discontinuities WHERE cluster_id = %s GROUP BY reason", [cluster_id]
    )
    return dict.fromkeys(map(str, Reason), 0) | dict(records.fetchall())
