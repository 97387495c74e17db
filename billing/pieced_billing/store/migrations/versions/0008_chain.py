"""The hash chain: every fact about a tenant is a link, and its hash says what the row before it was.

    link_hash of link n = SHA256(link_hash of link n - 1 || the row as canonical JSON), after 32 zero bytes

`ledger_chains` has the end of each tenant's chain and counts its rows by table. Its row is the lock at which two
writers of one tenant meet, and writers of different tenants never do.

Rows get their links from triggers, so no writer can forget them, in the sessions that the program opens: they set
`pieced.recording`. What anybody else inserts has no link, and what anybody else changes in a tenant's own row does not
give its `stamp`; `pieced ledger verify` names both.
"""

from pieced_billing.store.migrations.linking import link_table
from pieced_billing.store.migrations.sql import run

revision = "0008_chain"
down_revision = "0007_ledger_checks"
branch_labels = None
depends_on = None

LINKED = (
    "tenant_lifecycle_events",
    "tenant_skill_events",
    "tenant_suspension_events",
    "usage_records",
    "tenant_discontinuities",
    "tenant_resume_requests",
)

CHAINS = """
CREATE TABLE ledger_chains (
    tenant_uid text PRIMARY KEY,
    length     bigint NOT NULL DEFAULT 0,
    head       bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    rows       jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);
COMMENT ON TABLE ledger_chains IS 'per tenant UID: the end of its hash chain';
COMMENT ON COLUMN ledger_chains.rows IS 'how many links are rows of which table';
"""

# RFC 8785, as all values are text: a row's columns by name without those that are null, and its table.
CANONICAL = """
CREATE FUNCTION pieced_canonical(row_table text, entry json) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '{' || string_agg(to_json(key)::text || ':' || to_json(value)::text, ',' ORDER BY key COLLATE "C") || '}'
    FROM (SELECT key, value FROM json_each_text(entry) UNION ALL SELECT 'table', row_table) AS field
    WHERE value IS NOT NULL AND key NOT IN ('id', 'link', 'link_hash', 'stamp')
$$;
"""

# The chain goes on after the insert, not before: a row that ON CONFLICT leaves out is no link.
LINKING = """
CREATE FUNCTION pieced_link() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT SET TimeZone = 'UTC' AS $$
DECLARE
    chain ledger_chains;
BEGIN
    INSERT INTO ledger_chains (tenant_uid) VALUES (NEW.tenant_uid) ON CONFLICT DO NOTHING;
    SELECT * INTO STRICT chain FROM ledger_chains WHERE tenant_uid = NEW.tenant_uid FOR UPDATE;
    NEW.link := chain.length + 1;
    NEW.link_hash := sha256(chain.head || convert_to(pieced_canonical(TG_TABLE_NAME, row_to_json(NEW)), 'UTF8'));
    RETURN NEW;
END $$;

CREATE FUNCTION pieced_linked() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE ledger_chains
    SET length = NEW.link, head = NEW.link_hash,
        rows = rows || jsonb_build_object(TG_TABLE_NAME, coalesce((rows ->> TG_TABLE_NAME)::bigint, 0) + 1)
    WHERE tenant_uid = NEW.tenant_uid AND length = NEW.link - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rows of % about one tenant are inserted one by one', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# What pieced_canonical makes of the row, written out for the columns that there are: it takes a fifth of the time.
STAMP = """
ALTER TABLE tenant_billing_lifecycle ADD COLUMN stamp bytea;
COMMENT ON COLUMN tenant_billing_lifecycle.stamp IS 'SHA-256 of the row, so that what is changed by hand is noticed';

CREATE FUNCTION pieced_make_stamp() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $make$
DECLARE
    fields text;
BEGIN
    SELECT string_agg(format('coalesce(%L || %s, %L)', ',"' || name || '":', value, ''), ' || '
                      ORDER BY name COLLATE "C") INTO fields FROM (
        SELECT attname::text AS name, format(CASE
                WHEN atttypid::regtype IN ('text', 'timestamptz') THEN 'to_json(NEW.%I)::text'
                WHEN atttypid::regtype IN ('bigint', 'integer', 'boolean') THEN $$'"' || NEW.%I || '"'$$
                ELSE 'to_json(to_json(NEW.%I)::text)::text' END, attname) AS value
        FROM pg_attribute
        WHERE attrelid = 'tenant_billing_lifecycle'::regclass AND attnum > 0 AND NOT attisdropped
            AND attname NOT IN ('id', 'stamp')
        UNION ALL SELECT 'table', $$'"tenant_billing_lifecycle"'$$) AS field;
    EXECUTE format($body$
        CREATE OR REPLACE FUNCTION pieced_stamp() RETURNS trigger LANGUAGE plpgsql
        SET search_path FROM CURRENT SET TimeZone = 'UTC' AS $$
        BEGIN
            NEW.stamp := sha256(convert_to('{' || substr(%s, 2) || '}', 'UTF8'));
            RETURN NEW;
        END $$
    $body$, fields);
END $make$;
SELECT pieced_make_stamp();
CREATE TRIGGER tenant_billing_lifecycle_stamp BEFORE INSERT OR UPDATE ON tenant_billing_lifecycle FOR EACH ROW
    WHEN (current_setting('pieced.recording', true) <> '') EXECUTE FUNCTION pieced_stamp();
UPDATE tenant_billing_lifecycle SET epoch = epoch;
"""

# Many links at once: as an aggregate over a window it gives each of them.
LINKS = """
CREATE FUNCTION pieced_next_link(link_hash bytea, head bytea, entry text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(coalesce(link_hash, head) || convert_to(entry, 'UTF8'));
END $$;
CREATE AGGREGATE pieced_links(head bytea, entry text) (SFUNC = pieced_next_link, STYPE = bytea);
"""

# For imports: most of the canonical JSON of the row that a staged line will be, worked out while the file is read.
# Immutable only in sessions whose time zone stays UTC, as ours does.
STAGED = """
CREATE FUNCTION pieced_json_to_recorded_at(kind text, package text, occurred_at timestamptz, quantity numeric,
    corrects text, not_before timestamptz, not_after timestamptz, quality text, generation bigint, manager text)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF kind = 'usage' THEN
        RETURN coalesce(',"corrects":' || to_json(corrects)::text, '') || ',"meter":"' || package
            || '","occurred_at":' || to_json(occurred_at)::text || ',"quantity":"' || quantity || '","recorded_at":';
    END IF;
    RETURN ',"event_kind":"' || kind || '"' || coalesce(',"generation":"' || generation || '"', '')
        || coalesce(',"manager":' || to_json(manager)::text, '')
        || coalesce(',"not_after":' || to_json(not_after)::text, '')
        || coalesce(',"not_before":' || to_json(not_before)::text, '')
        || ',"occurred_at":' || to_json(occurred_at)::text || ',"quality":"' || quality || '","recorded_at":';
END $$;
CREATE FUNCTION pieced_json_to_table(kind text, package text, source text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN kind IN ('enabled', 'disabled') THEN ',"skill_id":' || to_json(package)::text ELSE '' END
        || ',"source":' || to_json(source)::text || CASE
            WHEN kind = 'usage' THEN ',"table":"usage_records"'
            WHEN kind IN ('enabled', 'disabled') THEN ',"table":"tenant_skill_events"'
            WHEN kind IN ('suspended', 'resumed') THEN ',"table":"tenant_suspension_events"'
            ELSE ',"table":"tenant_lifecycle_events"' END;
END $$;
"""


ENTRIES = """
SELECT '{table}' AS row_table, row.id, tenant_uid, recorded_at, {seq} AS seq,
       pieced_canonical('{table}', row_to_json(row)) AS entry FROM {table} AS row
"""
UPDATE = """
of_{table} AS (UPDATE {table} AS row SET link = linked.link, link_hash = linked.link_hash
               FROM linked WHERE (row_table, linked.id) = ('{table}', row.id))
"""


def _seq(table: str) -> str:
    return "seq" if table.endswith("_events") else "NULL::bigint"


def link_what_is_there() -> str:
    """Link the rows of before: the events of a tenant by their numbers, then the others as they were recorded."""
    entries = " UNION ALL ".join(ENTRIES.format(table=table, seq=_seq(table)) for table in LINKED)
    updates = ", ".join(UPDATE.format(table=table) for table in LINKED)
    counts = ", ".join(f"'{table}', nullif(count(*) FILTER (WHERE row_table = '{table}'), 0)" for table in LINKED)
    disabled, enabled = (
        "".join(f"ALTER TABLE {table} {verb} TRIGGER {table}_append_only;" for table in LINKED)
        for verb in ("DISABLE", "ENABLE")
    )
    # The order of insertion is the chain's now, and an import is a tenth faster with an index less.
    surrogates = "".join(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey;" for table in LINKED)
    return f"""{disabled}
    WITH linked AS MATERIALIZED (
        SELECT row_table, id, tenant_uid, row_number() OVER chain AS link,
               pieced_links(decode(repeat('00', 32), 'hex'), entry) OVER chain AS link_hash
        FROM ({entries}) AS entries
        WINDOW chain AS (PARTITION BY tenant_uid ORDER BY seq, recorded_at, row_table, id ROWS UNBOUNDED PRECEDING)
    ), {updates}
    INSERT INTO ledger_chains
    SELECT tenant_uid, count(*), (array_agg(link_hash ORDER BY link DESC))[1],
           jsonb_strip_nulls(jsonb_build_object({counts}))
    FROM linked GROUP BY tenant_uid;
    {enabled}
    {surrogates}
    """  # noqa: S608 - our own names


def upgrade() -> None:
    run(CHAINS + CANONICAL + LINKING)
    for table in LINKED:
        run(link_table(table))
    run(STAMP + LINKS + STAGED)
    run(link_what_is_there())
