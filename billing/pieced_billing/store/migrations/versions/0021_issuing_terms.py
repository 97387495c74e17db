"""How somebody issues: the format of its numbers and when they are paid; and who issues an organisation's bills."""

from pieced_billing.store.migrations.sql import run

revision = "0021_issuing_terms"
down_revision = "0020_invoice_proofs"
branch_labels = None
depends_on = None

TERMS = """
ALTER TABLE issuing_entity_versions
    ADD COLUMN invoice_prefix text NOT NULL DEFAULT 'INV' CHECK (invoice_prefix ~ '^[A-Z][A-Z0-9]{0,7}$'),
    ADD COLUMN credit_note_prefix text NOT NULL DEFAULT 'CN' CHECK (credit_note_prefix ~ '^[A-Z][A-Z0-9]{0,7}$'),
    ADD COLUMN number_digits integer NOT NULL DEFAULT 6 CHECK (number_digits BETWEEN 4 AND 9),
    ADD COLUMN payment_days integer NOT NULL DEFAULT 30 CHECK (payment_days BETWEEN 0 AND 365);
COMMENT ON COLUMN issuing_entity_versions.payment_days IS 'days from the date of an invoice to its due date';

ALTER TABLE org_billing_config
    ADD COLUMN issuer text CHECK (issuer <> ''),
    ADD COLUMN payment_days integer CHECK (payment_days BETWEEN 0 AND 365);
COMMENT ON COLUMN org_billing_config.issuer IS 'the issuing entity of its bills; null: the only one, or default';
COMMENT ON COLUMN org_billing_config.payment_days IS 'goes before those of the issuer; null: those of the issuer';
"""


def upgrade() -> None:
    run(TERMS)
