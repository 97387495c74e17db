"""Whether invoice numbers are sealed outside of the database: a restored one still knows that, and asks for the key."""

from pieced_billing.store.migrations.sql import run

revision = "0010_numbers_sealed"
down_revision = "0009_invoice_number_holes"
branch_labels = None
depends_on = None

NUMBERS_SEALED = """
ALTER TABLE billing_settings ADD COLUMN numbers_sealed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN billing_settings.numbers_sealed IS 'an invoice run has sealed numbers: none goes without the key';
"""


def upgrade() -> None:
    run(NUMBERS_SEALED)
