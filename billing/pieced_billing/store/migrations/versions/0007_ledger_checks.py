"""The checks of the ledger, one row each: what was found, by kind."""

from pieced_billing.store.migrations.sql import run

revision = "0007_ledger_checks"
down_revision = "0005_continuity"
branch_labels = None
depends_on = None

CHECKS = """
CREATE TABLE ledger_checks (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id text NOT NULL CHECK (cluster_id <> ''),
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    counts     jsonb NOT NULL
);
CREATE INDEX ledger_checks_latest ON ledger_checks (cluster_id, checked_at DESC);
COMMENT ON COLUMN ledger_checks.counts IS 'discrepancies by kind; a kind that is not named had none';
CREATE TRIGGER ledger_checks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checks
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""


def upgrade() -> None:
    run(CHECKS)
