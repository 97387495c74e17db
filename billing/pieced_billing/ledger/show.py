"""`pieced ledger show`: what the ledger knows of one tenant, UID by UID."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pieced_billing.errors import Refused
from pieced_billing.ledger import discontinuities, rows
from pieced_billing.ledger.discontinuities import RecordedSeam
from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.observation import LedgerRow
from pieced_billing.store.connections import Connection

_ROWS: Final = f"""
SELECT {rows.COLUMNS} FROM tenant_billing_lifecycle WHERE tenant_name = %(named)s OR tenant_uid = %(named)s
ORDER BY cluster_id COLLATE "C", created_at, tenant_uid COLLATE "C"
"""  # noqa: S608 - our own columns

COLUMNS: Final = """cluster_id, tenant_uid, tenant_name, zitadel_org_id, seq, event_kind, occurred_at, not_before,
    not_after, quality, source, generation, manager, recorded_at"""
"""What the three tables of events have in common; `skill_id` follows."""

_EVENTS: Final = f"""
SELECT {COLUMNS}, NULL, link FROM tenant_lifecycle_events WHERE tenant_uid = %(uid)s
UNION ALL SELECT {COLUMNS}, skill_id, link FROM tenant_skill_events WHERE tenant_uid = %(uid)s
UNION ALL SELECT {COLUMNS}, NULL, link FROM tenant_suspension_events WHERE tenant_uid = %(uid)s
ORDER BY occurred_at, seq
"""  # noqa: S608 - our own columns


class UnknownTenant(Refused):
    """The ledger has no tenant of that name or UID."""

    code = "unknown_tenant"

    def __init__(self, named: str) -> None:
        super().__init__(f"The ledger has no tenant whose name or UID is {named!r}.")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event, when the database recorded it, and its place in the UID's hash chain (None: it was put in by hand)."""

    event: Event
    recorded_at: datetime
    link: int | None

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        event = self.event
        return {
            "seq": event.seq,
            "kind": str(event.kind),
            "package": event.package,
            "at": instant_text(event.occurred_at),
            "not_before": _text(event.not_before),
            "not_after": _text(event.not_after),
            "quality": str(event.quality),
            "source": event.source,
            "generation": event.generation,
            "manager": event.manager,
            "recorded_at": instant_text(self.recorded_at),
        }


@dataclass(frozen=True, slots=True)
class Life:
    """One tenant UID: the projection, the events that it comes from in the order of their folding, and the seams."""

    row: LedgerRow
    events: tuple[Recorded, ...]
    seams: tuple[RecordedSeam, ...]

    def document(self) -> dict[str, Any]:
        """The same as JSON values; instants as UTC text, null where something is not known."""
        row = self.row
        return {
            "tenant": row.tenant,
            "uid": row.uid,
            "org": row.org,
            "cluster": row.cluster_id or None,
            "created_at": instant_text(row.created_at),
            "deleted_at": _text(row.deleted_at),
            "suspended": row.suspended,
            "packages": sorted(row.packages),
            "generation": row.generation,
            "epoch": row.epoch,
            "gap": row.gap,
            "confirmed_at": _text(row.confirmed_at),
            "discontinuities": [seam.document() for seam in self.seams],
            "events": [recorded.document() for recorded in self.events],
        }


def lives(connection: Connection, named: str) -> list[Life]:
    """Every life of a tenant name, or the one of a UID; Refused if there is none."""
    found = [rows.row_of(record) for record in connection.execute(_ROWS, {"named": named}).fetchall()]
    if not found:
        raise UnknownTenant(named)
    return [
        Life(
            row,
            tuple(map(_recorded, connection.execute(_EVENTS, {"uid": row.uid}))),
            tuple(discontinuities.of_tenant(connection, row.uid)),
        )
        for row in found
    ]


def event_of(record: Sequence[Any]) -> Event:
    """The event that a record of COLUMNS and `skill_id` is."""
    cluster_id, uid, tenant, org, seq, kind, at, not_before, not_after, quality, source, generation, manager = record[
        :13
    ]
    return Event(
        cluster_id=cluster_id,
        uid=uid,
        tenant=tenant,
        org=org,
        seq=seq,
        kind=Kind(kind),
        package=record[14],
        occurred_at=at,
        not_before=not_before,
        not_after=not_after,
        quality=Quality(quality),
        source=source,
        generation=generation,
        manager=manager,
    )


def _recorded(record: Sequence[Any]) -> Recorded:
    return Recorded(event_of(record), record[13], record[15])


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)
