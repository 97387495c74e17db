"""What of a staged import contradicts the ledger. Each query finds (line, reason)."""

from typing import Final

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

_OF_USAGE: Final = (
    """SELECT new.line, format('usage %s of source %s is recorded with other content', new.usage_id, new.source)
       FROM incoming_lines AS new JOIN subjects ON subjects.number = new.tenant
       JOIN usage_records AS known USING (source, usage_id)
       WHERE (known.tenant_uid, known.meter, known.quantity, known.occurred_at)
             <> (subjects.tenant_uid, new.package, new.quantity, new.occurred_at)
          OR known.corrects IS DISTINCT FROM new.corrects""",
    """SELECT new.line, format('usage %s of source %s is recorded with other content on line %s',
                               new.usage_id, new.source, first.line)
       FROM repeated
       JOIN incoming_lines AS first USING (source, usage_id, line)
       JOIN incoming_lines AS new ON (new.source, new.usage_id) = (first.source, first.usage_id)
       WHERE new.kind = 'usage' AND ((new.tenant, new.package, new.quantity, new.occurred_at)
             <> (first.tenant, first.package, first.quantity, first.occurred_at)
          OR new.corrects IS DISTINCT FROM first.corrects)""",
)


def of_tenants(connection: Connection) -> list[Finding]:
    """What the ledger knows otherwise of the tenants."""
    return [finding for query in _OF_TENANTS for finding in _found(connection, query)]


def of_corrections(connection: Connection) -> list[Finding]:
    """Corrections of usage that is not there, of another UID or of another meter; each once."""
    return list(dict.fromkeys(finding for query in _OF_CORRECTIONS for finding in _found(connection, query)))


def of_names(connection: Connection) -> list[Finding]:
    """Tenants of one name that would be alive at once in one cluster; asked of `subjects`."""
    return _found(connection, _OF_NAMES)


def of_usage(connection: Connection) -> list[Finding]:
    """Usage ids with other content, in the ledger or earlier in the file; asked of `subjects`."""
    return [finding for query in _OF_USAGE for finding in _found(connection, query)]


def _found(connection: Connection, query: str) -> list[Finding]:
    return [Finding(*row) for row in connection.execute(query)]
