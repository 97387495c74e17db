"""Recording a staged import in the ledger, set by set."""

from typing import Final

from pieced_billing.store.connections import Connection

# What the ledger has already is not recorded again; only tenants that it knows can have it.
_REPEATS: Final = (
    """DELETE FROM incoming_lines AS new USING subjects, tenant_lifecycle_events AS known
       WHERE subjects.known AND subjects.number = new.tenant
         AND (known.tenant_uid, known.event_kind) = (subjects.tenant_uid, new.kind)""",
    """DELETE FROM incoming_lines AS new USING subjects, tenant_skill_events AS known
       WHERE subjects.known AND subjects.number = new.tenant
         AND (known.tenant_uid, known.skill_id, known.event_kind, known.occurred_at)
             = (subjects.tenant_uid, new.package, new.kind, new.occurred_at)""",
    """DELETE FROM incoming_lines AS new USING subjects, tenant_suspension_events AS known
       WHERE subjects.known AND subjects.number = new.tenant
         AND (known.tenant_uid, known.event_kind, known.occurred_at)
             = (subjects.tenant_uid, new.kind, new.occurred_at)""",
)

_COLUMNS: Final = """cluster_id, tenant_uid, tenant_name, zitadel_org_id, seq, event_kind, occurred_at, not_before,
    not_after, quality, source, generation, manager"""

# The next sequence numbers of each UID, in the order of the file; inserted in the order of the indexes.
_EVENTS: Final = f"""
WITH fresh AS MATERIALIZED (
    SELECT cluster_id, tenant_uid, tenant_name, zitadel_org_id,
           last_seq + row_number() OVER (PARTITION BY rank ORDER BY new.line) AS seq, kind AS event_kind,
           occurred_at, not_before, not_after, quality, source, generation, manager, package AS skill_id
    FROM incoming_lines AS new JOIN subjects ON subjects.number = new.tenant
    WHERE kind <> 'usage'
), lives AS (
    INSERT INTO tenant_lifecycle_events ({_COLUMNS})
    SELECT {_COLUMNS} FROM fresh WHERE event_kind IN ('created', 'deleted')
), skills AS (
    INSERT INTO tenant_skill_events ({_COLUMNS}, skill_id)
    SELECT {_COLUMNS}, skill_id FROM fresh WHERE event_kind IN ('enabled', 'disabled')
), suspensions AS (
    INSERT INTO tenant_suspension_events ({_COLUMNS})
    SELECT {_COLUMNS} FROM fresh WHERE event_kind IN ('suspended', 'resumed')
)
SELECT count(*) FROM fresh
"""  # noqa: S608 - our own columns

_USAGE: Final = """
INSERT INTO usage_records (source, usage_id, cluster_id, tenant_uid, meter, quantity, occurred_at, corrects)
SELECT source, usage_id, cluster_id, tenant_uid, package, quantity, occurred_at, corrects
FROM incoming_lines AS new JOIN subjects ON subjects.number = new.tenant
WHERE kind = 'usage' ORDER BY new.line
ON CONFLICT (source, usage_id) DO NOTHING
"""

_PROJECTION: Final = """
WITH skills AS (
    SELECT DISTINCT ON (rank, skill_id COLLATE "C") rank, skill_id, event_kind
    FROM tenant_skill_events JOIN subjects USING (tenant_uid)
    ORDER BY rank, skill_id COLLATE "C", occurred_at DESC, seq DESC
), packages AS (
    SELECT rank, array_agg(skill_id) AS packages FROM skills WHERE event_kind = 'enabled' GROUP BY rank
), suspensions AS (
    SELECT DISTINCT ON (rank) rank, event_kind = 'suspended' AS suspended
    FROM tenant_suspension_events JOIN subjects USING (tenant_uid)
    ORDER BY rank, occurred_at DESC, seq DESC
), ends AS (
    SELECT rank, max(seq) AS last_seq, max(occurred_at) AS last_event_at FROM (
        SELECT tenant_uid, seq, occurred_at FROM tenant_lifecycle_events
        UNION ALL SELECT tenant_uid, seq, occurred_at FROM tenant_skill_events
        UNION ALL SELECT tenant_uid, seq, occurred_at FROM tenant_suspension_events) AS events
    JOIN subjects USING (tenant_uid) GROUP BY rank
)
INSERT INTO tenant_billing_lifecycle AS known (
    cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at, deleted_at,
    last_seq, last_event_at, packages, suspended
)
SELECT cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at, deleted_at,
       ends.last_seq, last_event_at, coalesce(packages, '{}'), coalesce(suspended, false)
FROM subjects JOIN ends USING (rank) LEFT JOIN packages USING (rank) LEFT JOIN suspensions USING (rank)
ORDER BY rank
ON CONFLICT (tenant_uid) DO UPDATE
SET (deleted_at, last_seq, last_event_at, packages, suspended)
    = (EXCLUDED.deleted_at, EXCLUDED.last_seq, EXCLUDED.last_event_at, EXCLUDED.packages, EXCLUDED.suspended)
"""


def record_events(connection: Connection) -> int:
    """Append the staged events that the ledger lacks; returns how many."""
    for query in _REPEATS:
        connection.execute(query)
    row = connection.execute(_EVENTS).fetchone()
    assert row is not None
    return int(row[0])


def record_usage(connection: Connection) -> int:
    """Append the staged usage that the ledger lacks; returns how much."""
    return connection.execute(_USAGE).rowcount


def project(connection: Connection) -> None:
    """Bring `tenant_billing_lifecycle` to the fold of all events of the file's tenants (rule 2's order)."""
    connection.execute(_PROJECTION)
