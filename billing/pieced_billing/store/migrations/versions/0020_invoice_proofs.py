"""What each document stands on, and the hash of what was issued (invoicing/proof.py), so that it can be proved.

Documents of before have neither: what they were made of is not known any more.
"""

from pieced_billing.store.migrations.sql import run

revision = "0020_invoice_proofs"
down_revision = "0019_unusual_amounts"
branch_labels = None
depends_on = None

PROOFS = """
ALTER TABLE invoices
    ADD COLUMN stands_on json,
    ADD COLUMN output_hash bytea CHECK (length(output_hash) = 32),
    ADD CONSTRAINT invoices_proof CHECK (
        output_hash IS NOT NULL AND (stands_on IS NULL) = (credits IS NOT NULL)) NOT VALID;
COMMENT ON COLUMN invoices.stands_on IS 'of a bill: versions of prices and terms, and chain and usage of each tenant';
COMMENT ON COLUMN invoices.output_hash IS 'SHA-256 of the row as it was issued';
"""


def upgrade() -> None:
    run(PROOFS)
