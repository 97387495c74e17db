"""Whether the ledger was ever sealed: before that, nothing is lost where there is no file of a seal."""

from pieced_billing.store.migrations.sql import run

revision = "0016_ledger_sealed"
down_revision = "0015_adjustments"
branch_labels = None
depends_on = None

LEDGER_SEALED = """
ALTER TABLE billing_settings ADD COLUMN ledger_sealed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN billing_settings.ledger_sealed IS 'there is a seal: a verification that does not find its file fails';
"""


def upgrade() -> None:
    run(LEDGER_SEALED)
