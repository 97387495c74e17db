"""What of a staged import contradicts the ledger. Each query finds (line, reason)."""

from typing import Final

from pieced_billing.calendar import Microseconds, from_microseconds
from pieced_billing.ledger.judge import Finding
from pieced_billing.store.connections import Connection

_OF_TENANTS: Final = (
    """SELECT line, format('%s has no line of kind created, in the file or in the ledger', uid)
       FROM incoming_tenants AS new LEFT JOIN tenant_billing_lifecycle AS known ON known.tenant_uid = new.uid
       WHERE new.created_at IS NULL AND known.tenant_uid IS NULL""",
    """SELECT created_line, format('%s is created differently in the ledger', uid)
       FROM incoming_tenants AS new JOIN tenant_billing_lifecycle AS known ON known.tenant_uid = new.uid
       WHERE (new.created_at, new.tenant, new.org) <> (known.created_at, known.tenant_name, known.zitadel_org_id)""",
    """SELECT line, format('%s is in cluster %s in the ledger', uid, known.cluster_id)
       FROM incoming_tenants AS new JOIN tenant_billing_lifecycle AS known ON known.tenant_uid = new.uid
       WHERE '' NOT IN (new.cluster_id, known.cluster_id) AND new.cluster_id <> known.cluster_id""",
    """SELECT deleted_line, format('%s is deleted at another instant in the ledger', uid)
       FROM incoming_tenants AS new JOIN tenant_billing_lifecycle AS known ON known.tenant_uid = new.uid
       WHERE new.deleted_at <> known.deleted_at""",
    """SELECT deleted_line, format('%s is deleted, but not after it is created in the ledger', uid)
       FROM incoming_tenants AS new JOIN tenant_billing_lifecycle AS known ON known.tenant_uid = new.uid
       WHERE new.created_at IS NULL AND new.deleted_at <= known.created_at""",
)

# Corrections of nothing, and of what somebody else or another meter used; the id is looked for in file and ledger.
_OF_CORRECTIONS: Final = (
    """SELECT line, format('corrects names %s, which is the id of no other usage of source %s', corrects, source)
       FROM incoming_lines AS new
       WHERE corrects IS NOT NULL
         AND NOT EXISTS (SELECT FROM incoming_lines AS old
                         WHERE old.source = new.source AND old.usage_id = new.corrects AND old.line <> new.line)
         AND NOT EXISTS (SELECT FROM usage_records AS old
                         WHERE old.source = new.source AND old.usage_id = new.corrects)""",
    """SELECT new.line, format('corrects names %s, which is usage of another %s', new.corrects,
                               CASE WHEN old.tenant = new.tenant THEN 'meter' ELSE 'UID' END)
       FROM incoming_lines AS new JOIN incoming_lines AS old
         ON old.source = new.source AND old.usage_id = new.corrects
       WHERE new.corrects IS NOT NULL AND (old.tenant, old.package) <> (new.tenant, new.package)""",
    """SELECT new.line, format('corrects names %s, which is usage of another %s', new.corrects,
                               CASE WHEN old.tenant_uid = tenant.uid THEN 'meter' ELSE 'UID' END)
       FROM incoming_lines AS new JOIN incoming_tenants AS tenant ON tenant.number = new.tenant
         JOIN usage_records AS old ON old.source = new.source AND old.usage_id = new.corrects
       WHERE new.corrects IS NOT NULL AND (old.tenant_uid, old.meter) <> (tenant.uid, new.package)""",
)

# Lives of one name follow each other by their beginnings: if any two overlap, so do two neighbours.
_OF_NAMES: Final = """
WITH lives AS (
    SELECT cluster_id, tenant_name, tenant_uid, created_at, deleted_at, coalesce(created_line, line) AS line
    FROM subjects
    UNION ALL
    SELECT cluster_id, tenant_name, tenant_uid, created_at, deleted_at, NULL
    FROM tenant_billing_lifecycle AS known
    WHERE (cluster_id, tenant_name) IN (SELECT cluster_id, tenant_name FROM subjects)
      AND NOT EXISTS (SELECT FROM subjects WHERE subjects.tenant_uid = known.tenant_uid)
), neighbours AS (
    SELECT lives.*, lag(tenant_uid) OVER name AS previous_uid, lag(deleted_at) OVER name AS previous_end,
           lag(line) OVER name AS previous_line
    FROM lives
    WINDOW name AS (PARTITION BY cluster_id COLLATE "C", tenant_name COLLATE "C"
                    ORDER BY created_at, tenant_uid COLLATE "C")
)
SELECT coalesce(line, previous_line),
       format('%s and %s are both named %s and alive at once', previous_uid, tenant_uid, tenant_name)
FROM neighbours
WHERE previous_uid IS NOT NULL AND (previous_end IS NULL OR previous_end > created_at)
  AND (line IS NOT NULL OR previous_line IS NOT NULL)
"""

# What differs, as the ledger or the first line has it and as the later line does.
_DIFFERENCES: Final = """concat_ws(', ',
    CASE WHEN old.uid <> new.uid THEN format('uid %%s, not %%s', old.uid, new.uid) END,
    CASE WHEN old.meter <> new.meter THEN format('meter %%s, not %%s', old.meter, new.meter) END,
    CASE WHEN old.quantity <> new.quantity THEN format('quantity %%s, not %%s', old.quantity, new.quantity) END,
    CASE WHEN old.occurred_at <> new.occurred_at
         THEN format('at %%s, not %%s', to_json(old.occurred_at) #>> '{}', to_json(new.occurred_at) #>> '{}') END,
    CASE WHEN old.corrects IS DISTINCT FROM new.corrects THEN format('corrects %%s, not %%s',
         coalesce(old.corrects, 'nothing'), coalesce(new.corrects, 'nothing')) END)"""
_INCOMING: Final = """(
    SELECT source, usage_id, line, uid, package AS meter, quantity, occurred_at, corrects
    FROM incoming_lines JOIN (SELECT number AS tenant, tenant_uid AS uid FROM subjects) AS subject USING (tenant)
    WHERE kind = 'usage')"""

_OF_USAGE: Final = (
    f"""SELECT line, format('usage %%s of source %%s is recorded with other content%%s: %%s', usage_id, source,
                            CASE WHEN recorded_at >= %(began_at)s THEN ' on an earlier line' END, differences)
        FROM (SELECT new.*, old.recorded_at, {_DIFFERENCES} AS differences
              FROM met AS old JOIN {_INCOMING} AS new USING (line)) AS compared
        WHERE differences <> ''""",  # noqa: S608 - our own texts
    f"""SELECT line, format('usage %%s of source %%s is recorded with other content on line %%s: %%s',
                            usage_id, source, first_line, differences)
        FROM (SELECT new.*, old.line AS first_line, {_DIFFERENCES} AS differences
              FROM repeated JOIN {_INCOMING} AS old USING (source, usage_id, line)
              JOIN {_INCOMING} AS new USING (source, usage_id)) AS compared
        WHERE differences <> ''""",  # noqa: S608
)


def of_tenants(connection: Connection) -> list[Finding]:
    """What the ledger knows otherwise of the tenants, or nothing."""
    return [finding for query in _OF_TENANTS for finding in _found(connection, query)]


def of_corrections(connection: Connection) -> list[Finding]:
    """Corrections of usage that is not there, of another UID or of another meter; each once."""
    return list(dict.fromkeys(finding for query in _OF_CORRECTIONS for finding in _found(connection, query)))


def of_names(connection: Connection) -> list[Finding]:
    """Tenants of one name that would be alive at once in one cluster; asked of `subjects`."""
    return _found(connection, _OF_NAMES)


def of_usage(connection: Connection, began_at: Microseconds | None = None) -> list[Finding]:
    """Usage ids with other content, in the ledger or earlier in the file; asked of `subjects`.

    What is in the ledger since `began_at` stands on an earlier line.
    """
    since = {"began_at": None if began_at is None else from_microseconds(began_at)}
    return [Finding(*row) for query in _OF_USAGE for row in connection.execute(query, since)]


def _found(connection: Connection, query: str) -> list[Finding]:
    return [Finding(*row) for row in connection.execute(query)]
