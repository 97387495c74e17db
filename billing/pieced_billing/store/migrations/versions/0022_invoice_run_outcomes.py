"""What runs decided of organisations that they did not invoice, and how each organisation stands with a period.

The log of the parked becomes a log of every decision but an invoice, of which the latest counts: so it is known who is
parked now. The same decision again is not logged.
"""

from pieced_billing.store.migrations.sql import run

revision = "0022_invoice_run_outcomes"
down_revision = "0021_issuing_terms"
branch_labels = None
depends_on = None

LOG = """
ALTER TABLE invoice_runs_parked RENAME TO invoice_run_outcomes;
ALTER TABLE invoice_run_outcomes RENAME COLUMN parked_at TO decided_at;
ALTER TABLE invoice_run_outcomes
    DROP CONSTRAINT invoice_runs_parked_once,
    ALTER COLUMN code DROP NOT NULL,
    ALTER COLUMN reason DROP NOT NULL,
    ADD COLUMN status text NOT NULL DEFAULT 'parked' CHECK (status IN ('parked', 'empty')),
    ADD CONSTRAINT invoice_run_outcomes_reason CHECK (
        (status = 'parked') = (code IS NOT NULL) AND (code IS NULL) = (reason IS NULL));
ALTER TABLE invoice_run_outcomes ALTER COLUMN status DROP DEFAULT;
CREATE INDEX invoice_run_outcomes_latest ON invoice_run_outcomes (zitadel_org_id, period_start, id DESC);
COMMENT ON TABLE invoice_run_outcomes IS 'what a run did with whom it did not invoice, whenever that changed';
"""

STATUS = """
CREATE VIEW invoice_status AS
SELECT period_start, zitadel_org_id, 'finalised' AS status, number, NULL::text AS code, NULL::text AS reason,
       finalised_at AS since
FROM invoices AS bill
WHERE credits IS NULL AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND completes)
UNION ALL
SELECT period_start, zitadel_org_id, status, NULL, code, reason, decided_at FROM (
    SELECT DISTINCT ON (zitadel_org_id, period_start) * FROM invoice_run_outcomes
    ORDER BY zitadel_org_id, period_start, id DESC) AS latest
WHERE NOT EXISTS (
    SELECT FROM invoices AS bill
    WHERE bill.credits IS NULL
        AND (bill.zitadel_org_id, bill.period_start) = (latest.zitadel_org_id, latest.period_start)
        AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes));
COMMENT ON VIEW invoice_status IS 'how organisations stand with periods; one without a row was not run yet: a draft';
"""


def upgrade() -> None:
    run(LOG + STATUS)
