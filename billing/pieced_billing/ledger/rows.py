"""Reading and writing what `decide` decides on: the row of a UID, its namesakes, and new events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from pieced_billing.ledger.events import Event, Kind
from pieced_billing.ledger.observation import LedgerRow, Namesakes, Observation
from pieced_billing.store.connections import Connection
from pieced_billing.store.messages import Executes, Message

TABLES: Final = {
    Kind.CREATED: "tenant_lifecycle_events",
    Kind.DELETED: "tenant_lifecycle_events",
    Kind.ENABLED: "tenant_skill_events",
    Kind.DISABLED: "tenant_skill_events",
    Kind.SUSPENDED: "tenant_suspension_events",
    Kind.RESUMED: "tenant_suspension_events",
}
"""Where each kind of event is kept."""

COLUMNS: Final = """cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at, deleted_at, epoch, generation,
    resource_version, last_seq, last_event_at, confirmed_at, suspended, packages, gap"""
"""The columns of `tenant_billing_lifecycle` in the order of LedgerRow's fields."""


def row_of(record: Sequence[Any]) -> LedgerRow:
    """The row that a record of COLUMNS is."""
    fields = list(record)
    fields[-2] = frozenset(fields[-2])
    return LedgerRow(*fields)


def lock_name(connection: Connection, cluster_id: str, tenant: str) -> datetime:
    """Let one transaction at a time decide about a tenant name: two UIDs of one name depend on each other.

    Returns the time by the database's clock.
    """
    query = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)), clock_timestamp()"
    record = connection.execute(query, [f"{cluster_id}/{tenant}"]).fetchone()
    assert record is not None
    now: datetime = record[1]
    return now


def lock_row(connection: Connection, seen: Observation) -> LedgerRow | None:
    """Lock the row of the observed UID; one that is missing is made and locked, and answered with None."""
    if (row := lock_existing_row(connection, seen.uid)) is not None or not seen.org:
        return row
    connection.execute(
        """INSERT INTO tenant_billing_lifecycle (cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at)
           VALUES (%s, %s, %s, %s, %s) ON CONFLICT (tenant_uid) DO NOTHING""",
        [seen.cluster_id, seen.uid, seen.tenant, seen.org, seen.created_at],
    )
    row = lock_existing_row(connection, seen.uid)
    assert row is not None
    return row if row.last_seq else None


def lock_existing_row(connection: Connection, uid: str) -> LedgerRow | None:
    """Lock the row of a UID, if there is one."""
    query = f"SELECT {COLUMNS} FROM tenant_billing_lifecycle WHERE tenant_uid = %s FOR UPDATE"  # noqa: S608 - constant
    record = connection.execute(query, [uid]).fetchone()
    return None if record is None else row_of(record)


def lock_free_rows(message: Message, uids: Sequence[str]) -> tuple[dict[str, LedgerRow], datetime]:
    """Lock those rows of many UIDs that nobody else has locked, without a wait; UIDs without a row are left out.

    Sends the message. Returns the time by the database's clock as well.
    """
    query = f"SELECT {COLUMNS} FROM tenant_billing_lifecycle WHERE tenant_uid = ANY(%s) FOR UPDATE SKIP LOCKED"  # noqa: S608 - constant
    message.execute(query, [list(uids)])
    message.execute("SELECT clock_timestamp()")
    records, [(now,)] = message.send()
    return {row.uid: row for row in map(row_of, records)}, now


def namesakes(connection: Connection, cluster_id: str, tenant: str, uid: str, created_at: datetime) -> Namesakes:
    """The UIDs before and after this one that have its name in its cluster."""
    record = connection.execute(
        """SELECT max(deleted_at) FILTER (WHERE created_at <= %(created_at)s),
                  coalesce(bool_or(deleted_at IS NULL) FILTER (WHERE created_at <= %(created_at)s), false),
                  min(created_at) FILTER (WHERE created_at > %(created_at)s)
           FROM tenant_billing_lifecycle
           WHERE cluster_id = %(cluster_id)s AND tenant_name = %(tenant)s AND tenant_uid <> %(uid)s""",
        {"cluster_id": cluster_id, "tenant": tenant, "uid": uid, "created_at": created_at},
    ).fetchone()
    assert record is not None
    return Namesakes(*record)


def append(session: Executes, event: Event) -> None:
    """Add one event to its table."""
    columns, values = _event_columns(event)
    marks = ", ".join(["%s"] * len(columns))
    query = f"INSERT INTO {TABLES[event.kind]} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
    session.execute(query, values)


def save(session: Executes, row: LedgerRow) -> None:
    """Write the row that a decision made."""
    session.execute(
        """UPDATE tenant_billing_lifecycle SET cluster_id = %s, created_at = %s, deleted_at = %s, epoch = %s,
               generation = %s, resource_version = %s, last_seq = %s, last_event_at = %s, confirmed_at = %s,
               suspended = %s, packages = %s, gap = %s
           WHERE tenant_uid = %s""",
        [
            row.cluster_id,
            row.created_at,
            row.deleted_at,
            row.epoch,
            row.generation,
            row.resource_version,
            row.last_seq,
            row.last_event_at,
            row.confirmed_at,
            row.suspended,
            sorted(row.packages),
            row.gap,
            row.uid,
        ],
    )


def save_confirmed(session: Executes, confirmed: Collection[LedgerRow]) -> None:
    """Write of many rows, which are locked, up to when and in which version they are confirmed."""
    if confirmed:
        session.execute(
            """UPDATE tenant_billing_lifecycle AS row
               SET confirmed_at = new.confirmed_at, resource_version = new.resource_version
               FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[]) AS new (uid, confirmed_at, resource_version)
               WHERE row.tenant_uid = new.uid""",
            [
                [row.uid for row in confirmed],
                [row.confirmed_at for row in confirmed],
                [row.resource_version for row in confirmed],
            ],
        )


def _event_columns(event: Event) -> tuple[list[str], list[Any]]:
    values = {
        "cluster_id": event.cluster_id,
        "tenant_uid": event.uid,
        "tenant_name": event.tenant,
        "zitadel_org_id": event.org,
        "seq": event.seq,
        "event_kind": str(event.kind),
        "occurred_at": event.occurred_at,
        "not_before": event.not_before,
        "not_after": event.not_after,
        "quality": str(event.quality),
        "source": event.source,
        "generation": event.generation,
        "manager": event.manager,
    }
    if event.package is not None:
        values["skill_id"] = event.package
    return list(values), list(values.values())
