"""An id of the database, which its backups keep: what is sealed of another one is not taken for its own."""

from pieced_billing.store.migrations.sql import run

revision = "0011_database_id"
down_revision = "0010_numbers_sealed"
branch_labels = None
depends_on = None

DATABASE_ID = """
ALTER TABLE billing_settings ADD COLUMN database_id uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN billing_settings.database_id IS 'sealed invoice numbers bear it: those of another id are not ours';
"""


def upgrade() -> None:
    run(DATABASE_ID)
