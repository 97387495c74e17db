"""A period that is billed again has all of each tenant, also of those that only later bills have put right in it.

A full credit lets what its invoice billed be billed again. A UID that became known after that invoice has no line on
it: what it owes for the period stands as adjustments on later bills, which the new bill of the period takes back. So
its `billed_days` of the period may be billed again as well.
"""

from pieced_billing.store.migrations.sql import run

revision = "0023_billed_again"
down_revision = "0022_invoice_run_outcomes"
branch_labels = None
depends_on = None

BILLED_AGAIN = """
CREATE FUNCTION pieced_bill_again() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE
    credited CONSTANT bigint[] := ARRAY(SELECT credits FROM new_documents WHERE completes);
BEGIN
    IF credited <> '{}' THEN
        UPDATE billed_days AS billed SET read_to = 0
        FROM invoices AS original JOIN tenant_billing_lifecycle AS tenant USING (zitadel_org_id)
        WHERE original.id = ANY(credited)
            AND (billed.tenant_uid, billed.period_start) = (tenant.tenant_uid, original.period_start);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoices_billed_again AFTER INSERT ON invoices REFERENCING NEW TABLE AS new_documents
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_bill_again();
"""


def upgrade() -> None:
    run(BILLED_AGAIN)
