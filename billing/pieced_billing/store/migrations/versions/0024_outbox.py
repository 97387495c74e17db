"""The outbox: what customers are to be told by e-mail, and what came of it.

Each new invoice is in it from the transaction that makes it; invoices of before are not, as nobody knows how they were
delivered. What was sent is a fact and stays.
"""

from pieced_billing.store.migrations.sql import run

revision = "0024_outbox"
down_revision = "0023_billed_again"
branch_labels = None
depends_on = None

OUTBOX = """
CREATE TABLE mail_outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('invoice', 'retention')),
    subject         text NOT NULL CHECK (subject <> ''),
    zitadel_org_id  text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    email_tried     text,
    reason          text,
    parked_at       timestamptz,
    withdrawn_at    timestamptz,
    sent_at         timestamptz,
    CONSTRAINT mail_outbox_once UNIQUE (kind, subject),
    CONSTRAINT mail_outbox_one_end CHECK (num_nonnulls(parked_at, withdrawn_at, sent_at) <= 1)
);
CREATE INDEX mail_outbox_unsent ON mail_outbox (kind, id) WHERE sent_at IS NULL AND withdrawn_at IS NULL;
COMMENT ON TABLE mail_outbox IS 'what customers are to be told by e-mail, each once, and what came of it';
COMMENT ON COLUMN mail_outbox.subject IS 'the number of an invoice; what else a message of this kind is about';
COMMENT ON COLUMN mail_outbox.email_tried IS 'the e-mail of the organisation at the last attempt';
COMMENT ON COLUMN mail_outbox.reason IS 'why it was not sent so far';

CREATE FUNCTION pieced_keep_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was sent stays as it is: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER mail_outbox_keep_sent BEFORE UPDATE ON mail_outbox
    FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL) EXECUTE FUNCTION pieced_keep_sent();
CREATE TRIGGER mail_outbox_keep_all BEFORE DELETE OR TRUNCATE ON mail_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_keep_sent();

CREATE FUNCTION pieced_put_into_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mail_outbox (kind, subject, zitadel_org_id)
        SELECT 'invoice', number, zitadel_org_id FROM issued_invoices ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER invoices_outbox AFTER INSERT ON invoices
    REFERENCING NEW TABLE AS issued_invoices
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_put_into_outbox();
"""


def upgrade() -> None:
    run(OUTBOX)
