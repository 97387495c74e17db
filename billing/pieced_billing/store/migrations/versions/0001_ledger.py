"""The ledger: what was ordered and used, when, and the projection that an observation locks.

A tenant is identified by the UID of its resource, everywhere: names are reused, UIDs never. Events of all three tables
share one sequence per UID. The tables that hold facts are append-only for everyone, their owner included.
"""

from pieced_billing.store.migrations.sql import run

revision = "0001_ledger"
down_revision = None
branch_labels = None
depends_on = None

SETTINGS = """
CREATE TABLE billing_settings (
    id            integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    billing_zone  text NOT NULL DEFAULT 'Europe/Zurich',
    billing_start date
);
COMMENT ON COLUMN billing_settings.billing_start IS 'nothing before this local day is billed (rule 18)';
INSERT INTO billing_settings DEFAULT VALUES;
"""

APPEND_ONLY = """
CREATE FUNCTION pieced_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
"""

TENANTS = """
CREATE TABLE tenant_billing_lifecycle (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id     text NOT NULL DEFAULT '',
    tenant_uid     text NOT NULL CHECK (tenant_uid <> ''),
    tenant_name    text NOT NULL CHECK (tenant_name <> ''),
    zitadel_org_id text NOT NULL CHECK (zitadel_org_id <> ''),
    created_at     timestamptz NOT NULL,
    deleted_at     timestamptz CHECK (deleted_at > created_at),
    epoch          integer NOT NULL DEFAULT 0,
    generation     bigint NOT NULL DEFAULT 0,
    last_seq       bigint NOT NULL DEFAULT 0,
    last_event_at  timestamptz,
    confirmed_at   timestamptz,
    suspended      boolean NOT NULL DEFAULT false,
    packages       text[] NOT NULL DEFAULT '{}',
    gap            boolean NOT NULL DEFAULT false,
    CONSTRAINT tenant_billing_lifecycle_uid UNIQUE (tenant_uid)
) WITH (fillfactor = 70);
CREATE INDEX tenant_billing_lifecycle_name ON tenant_billing_lifecycle (cluster_id, tenant_name);
CREATE INDEX tenant_billing_lifecycle_org ON tenant_billing_lifecycle (zitadel_org_id);
COMMENT ON TABLE tenant_billing_lifecycle IS 'one row per tenant UID: the projection of its events, locked by observe';
COMMENT ON COLUMN tenant_billing_lifecycle.epoch IS 'how often the generation went back (a restore)';
COMMENT ON COLUMN tenant_billing_lifecycle.gap IS 'a generation was skipped: switches in between may be unseen';
"""

EVENT_COLUMNS = """
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id     text NOT NULL DEFAULT '',
    tenant_uid     text NOT NULL,
    tenant_name    text NOT NULL,
    zitadel_org_id text NOT NULL,
    seq            bigint NOT NULL CHECK (seq > 0),
    {subject}
    event_kind     text NOT NULL CHECK (event_kind IN ({kinds})),
    occurred_at    timestamptz NOT NULL CHECK (isfinite(occurred_at)),
    not_before     timestamptz,
    not_after      timestamptz,
    quality        text NOT NULL CHECK (quality IN ('exact', 'bounded', 'inferred')),
    source         text NOT NULL CHECK (source <> ''),
    generation     bigint,
    manager        text,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT {table}_seq UNIQUE (tenant_uid, seq),
    CONSTRAINT {table}_once UNIQUE ({once})
"""

# A UID is created once and deleted once; a switch may be thrown again, but not twice the same way at one instant.
EVENT_TABLES = (
    ("tenant_lifecycle_events", "", "'created', 'deleted'", "tenant_uid, event_kind"),
    (
        "tenant_skill_events",
        "skill_id text NOT NULL CHECK (skill_id <> ''),",
        "'enabled', 'disabled'",
        "tenant_uid, skill_id, event_kind, occurred_at",
    ),
    ("tenant_suspension_events", "", "'suspended', 'resumed'", "tenant_uid, event_kind, occurred_at"),
)

USAGE = """
CREATE TABLE usage_records (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL CHECK (source <> ''),
    usage_id    text NOT NULL CHECK (usage_id <> ''),
    cluster_id  text NOT NULL DEFAULT '',
    tenant_uid  text NOT NULL,
    meter       text NOT NULL CHECK (meter IN ('llm_spend', 'threema_messages')),
    quantity    numeric NOT NULL CHECK (quantity > '-Infinity' AND quantity < 'Infinity'),
    occurred_at timestamptz NOT NULL CHECK (isfinite(occurred_at)),
    corrects    text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT usage_records_once UNIQUE (source, usage_id),
    CONSTRAINT usage_records_negative_corrects CHECK (quantity >= 0 OR corrects IS NOT NULL)
);
CREATE INDEX usage_records_tenant ON usage_records (tenant_uid, occurred_at);
"""

APPEND_ONLY_TRIGGER = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""


def upgrade() -> None:
    run(SETTINGS + APPEND_ONLY + TENANTS)
    for table, subject, kinds, once in EVENT_TABLES:
        columns = EVENT_COLUMNS.format(table=table, subject=subject, kinds=kinds, once=once)
        run(f"CREATE TABLE {table} ({columns});" + APPEND_ONLY_TRIGGER.format(table=table))
    run(USAGE + APPEND_ONLY_TRIGGER.format(table="usage_records"))
