"""What lets the ledger be continued and doubted: where the watch of a cluster was, and where a history has a seam."""

from pieced_billing.store.migrations.sql import run

revision = "0005_continuity"
down_revision = "0004_resume_requests"
branch_labels = None
depends_on = None

ROWS = """
ALTER TABLE tenant_billing_lifecycle ADD COLUMN resource_version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN tenant_billing_lifecycle.resource_version IS
    'of the latest version that was compared; a lower one is an old copy, or the cluster went back';
"""

POSITIONS = """
CREATE TABLE watch_positions (
    cluster_id       text PRIMARY KEY CHECK (cluster_id <> ''),
    resource_version bigint NOT NULL CHECK (resource_version > 0),
    saved_at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE watch_positions IS
    'per cluster: every version of a tenant up to this one has been compared with the ledger';
"""

DISCONTINUITIES = """
CREATE TABLE tenant_discontinuities (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id        text NOT NULL DEFAULT '',
    tenant_uid        text NOT NULL CHECK (tenant_uid <> ''),
    tenant_name       text NOT NULL CHECK (tenant_name <> ''),
    reason            text NOT NULL CHECK (reason IN ('gap', 'went_back', 'restored', 'returned')),
    epoch             integer NOT NULL,
    generation_before bigint NOT NULL,
    generation_after  bigint NOT NULL,
    predecessor_uid   text CHECK ((predecessor_uid IS NULL) = (reason <> 'restored')),
    not_before        timestamptz NOT NULL CHECK (isfinite(not_before)),
    not_after         timestamptz NOT NULL CHECK (not_after >= not_before),
    source            text NOT NULL CHECK (source <> ''),
    recorded_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT tenant_discontinuities_once UNIQUE (tenant_uid, reason, epoch, generation_after)
);
CREATE TRIGGER tenant_discontinuities_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tenant_discontinuities
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
COMMENT ON TABLE tenant_discontinuities IS
    'where versions of a tenant were not seen, or its resource was restored: what cannot be known is not guessed';
"""


def upgrade() -> None:
    run(ROWS + POSITIONS + DISCONTINUITIES)
