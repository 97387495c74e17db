"""Credit notes: documents like invoices, below zero, that take back from an invoice no more than is left of it.

A document without `credits` is the bill of a period. A credit note that leaves nothing of its invoice `completes`: the
period is not finalised any more, and may be billed again with the next revision.
"""

from pieced_billing.store.migrations.sql import run

revision = "0012_credit_notes"
down_revision = "0011_database_id"
branch_labels = None
depends_on = None

DOCUMENTS = """
ALTER TABLE invoices
    DROP CONSTRAINT invoices_kind_check, DROP CONSTRAINT invoices_once, DROP CONSTRAINT invoices_gross,
    ADD COLUMN credits bigint REFERENCES invoices,
    ADD COLUMN completes boolean NOT NULL DEFAULT false,
    ADD COLUMN reason text CHECK (reason <> ''),
    ADD CONSTRAINT invoices_kind CHECK (kind IN ('invoice', 'credit_note')),
    ADD CONSTRAINT invoices_credits CHECK (
        CASE WHEN credits IS NULL THEN NOT completes AND reason IS NULL
        ELSE kind = 'credit_note' AND reason IS NOT NULL END),
    ADD CONSTRAINT invoices_gross CHECK (
        gross > '-Infinity' AND gross < 'NaN' AND gross = net + vat
        AND CASE kind WHEN 'invoice' THEN gross >= 0 ELSE gross <= 0 END);
CREATE UNIQUE INDEX invoices_once ON invoices (zitadel_org_id, period_start, revision) WHERE credits IS NULL;
CREATE INDEX invoices_credits ON invoices (credits) WHERE credits IS NOT NULL;
CREATE UNIQUE INDEX invoices_completed_once ON invoices (credits) WHERE completes;
COMMENT ON COLUMN invoices.credits IS 'the invoice that a credit note takes back from; null: the bill of a period';
COMMENT ON COLUMN invoices.completes IS 'nothing is left of the invoice; its period can be billed again';

ALTER TABLE invoice_lines ADD COLUMN original_position integer;
COMMENT ON COLUMN invoice_lines.original_position IS 'on a credit note: which line of the invoice is taken back from';
"""

FINALISED = """
CREATE OR REPLACE FUNCTION pieced_finalised_months(org text) RETURNS SETOF date LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF org IS NULL THEN
        RETURN QUERY
            WITH RECURSIVE months AS (
                SELECT (
                    SELECT period_start FROM invoices AS bill
                    WHERE credits IS NULL AND NOT EXISTS (
                        SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes)
                    ORDER BY period_start LIMIT 1) AS month
                UNION ALL
                SELECT (
                    SELECT period_start FROM invoices AS bill
                    WHERE credits IS NULL AND period_start > month AND NOT EXISTS (
                        SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes)
                    ORDER BY period_start LIMIT 1)
                FROM months WHERE month IS NOT NULL)
            SELECT month FROM months WHERE month IS NOT NULL;
    ELSE
        RETURN QUERY
            SELECT DISTINCT period_start FROM invoices AS bill
            WHERE zitadel_org_id = org AND credits IS NULL AND NOT EXISTS (
                SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes);
    END IF;
END $$;
COMMENT ON FUNCTION pieced_finalised_months(text)
    IS 'first days of periods with a bill that is not credited in full, of the organisation; null: of any';
"""

# Nothing in here costs a run of first bills more than one look at what it wrote.
CREDITS = """
CREATE FUNCTION pieced_check_credits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    IF NOT EXISTS (SELECT FROM new_documents WHERE credits IS NOT NULL OR revision > 1) THEN
        RETURN NULL;
    END IF;
    SELECT bill.number INTO wrong FROM new_documents AS bill
        JOIN invoices AS earlier USING (zitadel_org_id, period_start)
    WHERE bill.credits IS NULL AND earlier.credits IS NULL AND earlier.revision < bill.revision
        AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = earlier.id AND credit.completes);
    IF FOUND THEN
        RAISE EXCEPTION '% would be a second bill: the one before is not credited in full', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT credit.number INTO wrong FROM new_documents AS credit
        JOIN invoices AS original ON original.id = credit.credits
    WHERE original.kind <> 'invoice' OR (original.zitadel_org_id, original.period_start, original.issuing_entity)
        <> (credit.zitadel_org_id, credit.period_start, credit.issuing_entity);
    IF FOUND THEN
        RAISE EXCEPTION '% credits what is no invoice of its organisation and period', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    WITH credited AS (
        SELECT document.credits AS id, line.original_position AS position, sum(line.amount) AS amount
        FROM invoices AS document JOIN invoice_lines AS line ON line.invoice_id = document.id
        WHERE document.credits IN (SELECT credits FROM new_documents) GROUP BY 1, 2
    ), lines AS (
        SELECT coalesce(line.invoice_id, credited.id) AS id, line.amount AS billed,
               line.amount + coalesce(credited.amount, 0) AS amount_left
        FROM (SELECT * FROM invoice_lines WHERE invoice_id IN (SELECT credits FROM new_documents)) AS line
            FULL JOIN credited ON (credited.id, credited.position) = (line.invoice_id, line.position)
    ), sums AS (
        SELECT original.id, original.net + sum(credit.net) AS net, original.gross + sum(credit.gross) AS gross,
               bool_or(credit.completes) AS completed
        FROM invoices AS original JOIN invoices AS credit ON credit.credits = original.id
        WHERE original.id IN (SELECT credits FROM new_documents) GROUP BY original.id
    )
    SELECT original.number INTO wrong FROM sums JOIN invoices AS original USING (id)
    WHERE sums.net < 0 OR sums.gross < 0
        OR completed <> (SELECT bool_and(amount_left IS NOT DISTINCT FROM 0) FROM lines WHERE lines.id = sums.id)
        OR completed AND (sums.net, sums.gross) <> (0, 0)
        OR EXISTS (
            SELECT FROM lines WHERE lines.id = sums.id
                AND (amount_left BETWEEN least(billed, 0) AND greatest(billed, 0)) IS NOT TRUE);
    IF FOUND THEN
        RAISE EXCEPTION 'more would be credited than is left of %', wrong USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoices_credits_what_is_left AFTER INSERT ON invoices
    REFERENCING NEW TABLE AS new_documents
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_check_credits();
"""


def upgrade() -> None:
    run(DOCUMENTS + FINALISED + CREDITS)
