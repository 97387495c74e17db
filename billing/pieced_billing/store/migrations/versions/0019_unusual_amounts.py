"""How far above the last months a draft may lie before somebody has to confirm it."""

from pieced_billing.store.migrations.sql import run

revision = "0019_unusual_amounts"
down_revision = "0018_invoice_documents"
branch_labels = None
depends_on = None

UNUSUAL = """
ALTER TABLE billing_settings ADD COLUMN unusual_factor numeric(8, 2) NOT NULL DEFAULT 10
    CHECK (unusual_factor > 1 AND unusual_factor < 'NaN');
COMMENT ON COLUMN billing_settings.unusual_factor IS 'a draft above so many times the mean of three months is parked';
"""


def upgrade() -> None:
    run(UNUSUAL)
