"""Who issues invoices, as documents name it, and the documents themselves: made once, kept byte for byte.

What is said of an issuing entity has versions by the instant at which they were recorded: a document shows the one that
was in force when its invoice was finalised.
"""

from pieced_billing.store.migrations.sql import run

revision = "0018_invoice_documents"
down_revision = "0017_primary_keys"
branch_labels = None
depends_on = None

ISSUERS = """
CREATE TABLE issuing_entity_versions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuing_entity text NOT NULL CHECK (issuing_entity <> ''),
    name           text NOT NULL,
    street         text,
    house_number   text,
    postcode       text NOT NULL,
    town           text NOT NULL,
    country        text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    iban           text NOT NULL CHECK (iban ~ '^(CH|LI)[0-9]{7}[0-9A-Z]{12}$'),
    vat_number     text,
    email          text,
    accent_colour  text NOT NULL CHECK (accent_colour ~ '^#[0-9a-f]{6}$'),
    logo           text,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by    text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE issuing_entity_versions IS 'who issues invoices and where they are paid: everything ever said of it';
COMMENT ON COLUMN issuing_entity_versions.logo IS 'an SVG image';
CREATE TRIGGER issuing_entity_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuing_entity_versions
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""

DOCUMENTS = """
CREATE TABLE invoice_documents (
    invoice_id  bigint PRIMARY KEY REFERENCES invoices,
    pdf         bytea NOT NULL,
    sha256      bytea NOT NULL,
    rendered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT invoice_documents_sha256 CHECK (sha256 = sha256(pdf))
);
COMMENT ON TABLE invoice_documents IS 'the PDF of each invoice that was asked for, as it was made the first time';
CREATE TRIGGER invoice_documents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_documents
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""


def upgrade() -> None:
    run(ISSUERS + DOCUMENTS)
