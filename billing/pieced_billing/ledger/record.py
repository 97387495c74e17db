"""Recording a staged import in the ledger, set by set."""

from typing import Final, NamedTuple

from pieced_billing.store.connections import Connection

# What the ledger has already, or an earlier line says, is not recorded again. Of tenants that it does not know, it has
# no events.
_SOME_KNOWN: Final = "SELECT EXISTS (SELECT FROM subjects WHERE known)"
_REPEATED_EVENTS: Final = (
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
_REPEATED_USAGE: Final = (
    "DELETE FROM incoming_lines AS new USING met WHERE met.line = new.line",
    """DELETE FROM incoming_lines AS new USING repeated
       WHERE new.kind = 'usage' AND (repeated.source, repeated.usage_id) = (new.source, new.usage_id)
         AND new.line > repeated.line""",
)

# The rows to be, with the next sequence numbers and links of each UID, in the order of the file. What is hashed is what
# pieced_canonical makes of the row; written out, it takes a tenth of the time.
_ENTRIES: Final = """
CREATE TEMP TABLE entries ON COMMIT DROP AS
WITH moment AS MATERIALIZED (
    SELECT recorded_at, to_json(recorded_at)::text AS recorded_json
    FROM (SELECT clock_timestamp() AS recorded_at) AS clock
), numbered AS (
    SELECT new.*, rank, length + row_number() OVER chain AS link,
           last_seq + count(*) FILTER (WHERE kind <> 'usage') OVER chain AS seq
    FROM incoming_lines AS new JOIN subjects ON subjects.number = new.tenant
    WINDOW chain AS (PARTITION BY rank ORDER BY new.line ROWS UNBOUNDED PRECEDING)
), written AS (
    SELECT numbered.*, recorded_at, head, opening || json_to_recorded_at || recorded_json || CASE WHEN kind = 'usage'
        THEN json_to_table || usage_ending || to_json(usage_id)::text || '}'
        ELSE ',"seq":"' || seq || '"' || json_to_table || event_ending END AS entry
    FROM numbered JOIN subjects USING (rank) CROSS JOIN moment
)
SELECT rank, kind, package, occurred_at, source, quantity, usage_id, corrects, not_before, not_after, quality,
       generation, manager, recorded_at, seq, link,
       pieced_links(head, entry) OVER (PARTITION BY rank ORDER BY line ROWS UNBOUNDED PRECEDING) AS link_hash
FROM written
"""

_COLUMNS: Final = """cluster_id, tenant_uid, tenant_name, zitadel_org_id, seq, event_kind, occurred_at, not_before,
    not_after, quality, source, generation, manager, recorded_at, link, link_hash"""
_VALUES: Final = f"{_COLUMNS.replace('event_kind', 'kind')} FROM entries JOIN subjects USING (rank)"
_LIVES: Final = (
    f"INSERT INTO tenant_lifecycle_events ({_COLUMNS}) SELECT {_VALUES} WHERE kind IN ('created', 'deleted')"
)
_SWITCHES: Final = f"""
INSERT INTO tenant_skill_events (skill_id, {_COLUMNS}) SELECT package, {_VALUES} WHERE kind IN ('enabled', 'disabled')
"""
_PAUSES: Final = f"""
INSERT INTO tenant_suspension_events ({_COLUMNS}) SELECT {_VALUES} WHERE kind IN ('suspended', 'resumed')
"""
_USAGE: Final = """
INSERT INTO usage_records (source, usage_id, cluster_id, tenant_uid, meter, quantity, occurred_at, corrects,
    recorded_at, link, link_hash)
SELECT source, usage_id, cluster_id, tenant_uid, package, quantity, occurred_at, corrects,
    recorded_at, link, link_hash
FROM entries JOIN subjects USING (rank) WHERE kind = 'usage'
"""

_ENDS: Final = """
CREATE TEMP TABLE ends ON COMMIT DROP AS
SELECT rank, max(link) AS link, max(seq) AS last_seq,
       max(occurred_at) FILTER (WHERE kind <> 'usage') AS last_event_at,
       count(*) FILTER (WHERE kind IN ('created', 'deleted')) AS lifecycle,
       count(*) FILTER (WHERE kind IN ('enabled', 'disabled')) AS skill,
       count(*) FILTER (WHERE kind IN ('suspended', 'resumed')) AS suspension,
       count(*) FILTER (WHERE kind = 'usage') AS usage
FROM entries GROUP BY rank
"""
_CHAINS: Final = """
INSERT INTO ledger_chains AS chain (tenant_uid, length, head, rows)
SELECT tenant_uid, link, link_hash, jsonb_strip_nulls(jsonb_build_object(
    'tenant_lifecycle_events', nullif(lifecycle, 0), 'tenant_skill_events', nullif(skill, 0),
    'tenant_suspension_events', nullif(suspension, 0), 'usage_records', nullif(usage, 0)))
FROM ends JOIN entries USING (rank, link) JOIN subjects USING (rank)
ORDER BY rank
ON CONFLICT (tenant_uid) DO UPDATE
SET length = EXCLUDED.length, head = EXCLUDED.head,
    rows = chain.rows || (SELECT jsonb_object_agg(key, value::bigint + coalesce((chain.rows ->> key)::bigint, 0))
                          FROM jsonb_each_text(EXCLUDED.rows))
"""

_PROJECTION: Final = """
WITH switched AS (
    SELECT rank, package, kind, occurred_at, seq FROM entries WHERE kind IN ('enabled', 'disabled')
    UNION ALL
    SELECT rank, skill_id, event_kind, occurred_at, seq
    FROM subjects JOIN tenant_skill_events USING (tenant_uid) WHERE known
), skills AS (
    SELECT DISTINCT ON (rank, package COLLATE "C") rank, package, kind
    FROM switched ORDER BY rank, package COLLATE "C", occurred_at DESC, seq DESC
), packages AS (
    SELECT rank, array_agg(package) AS packages FROM skills WHERE kind = 'enabled' GROUP BY rank
), paused AS (
    SELECT rank, kind, occurred_at, seq FROM entries WHERE kind IN ('suspended', 'resumed')
    UNION ALL
    SELECT rank, event_kind, occurred_at, seq
    FROM subjects JOIN tenant_suspension_events USING (tenant_uid) WHERE known
), suspensions AS (
    SELECT DISTINCT ON (rank) rank, kind = 'suspended' AS suspended FROM paused
    ORDER BY rank, occurred_at DESC, seq DESC
)
INSERT INTO tenant_billing_lifecycle AS known (
    cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at, deleted_at,
    last_seq, last_event_at, packages, suspended
)
SELECT cluster_id, tenant_uid, tenant_name, zitadel_org_id, created_at, deleted_at,
       ends.last_seq, greatest(subjects.last_event_at, ends.last_event_at),
       coalesce(packages, '{}'), coalesce(suspended, false)
FROM subjects JOIN ends USING (rank) LEFT JOIN packages USING (rank) LEFT JOIN suspensions USING (rank)
ORDER BY rank
ON CONFLICT (tenant_uid) DO UPDATE
SET (deleted_at, last_seq, last_event_at, packages, suspended)
    = (EXCLUDED.deleted_at, EXCLUDED.last_seq, EXCLUDED.last_event_at, EXCLUDED.packages, EXCLUDED.suspended)
"""


class Recorded(NamedTuple):
    """How many events and usage records were new."""

    events: int
    usage: int


def record(connection: Connection) -> Recorded:
    """Append the staged lines that the ledger lacks, and link them."""
    some_known = connection.execute(_SOME_KNOWN).fetchone() == (True,)
    for query in (*(_REPEATED_EVENTS if some_known else ()), *_REPEATED_USAGE):
        connection.execute(query)
    connection.execute(_ENTRIES)
    events = sum(connection.execute(query).rowcount for query in (_LIVES, _SWITCHES, _PAUSES))
    usage = connection.execute(_USAGE).rowcount
    connection.execute(_ENDS)
    connection.execute(_CHAINS)
    return Recorded(events, usage)


def project(connection: Connection) -> None:
    """Bring `tenant_billing_lifecycle` to the fold of all events of the file's tenants (rule 2's order)."""
    connection.execute(_PROJECTION)
