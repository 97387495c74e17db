"""A minimum amount of invoices: months below it are carried on, and the next bill has their lines beside its own.

`carried_periods` says which periods a bill has beside its own. It follows from the lines, whose days of service lie in
one month each, and only a trigger writes it. Where a bill stands, its carried periods are finalised like its own.
"""

from pieced_billing.store.migrations.sql import run

revision = "0025_minimum_amount"
down_revision = "0024_outbox"
branch_labels = None
depends_on = None

MINIMUM = """
ALTER TABLE issuing_entity_versions ADD COLUMN minimum_amount_chf numeric(10, 2) NOT NULL DEFAULT 0
    CHECK (minimum_amount_chf >= 0 AND minimum_amount_chf < 'NaN');
COMMENT ON COLUMN issuing_entity_versions.minimum_amount_chf IS 'an invoice below it waits for the next; with VAT';

ALTER TABLE invoice_run_outcomes DROP CONSTRAINT invoice_run_outcomes_status_check,
    ADD CONSTRAINT invoice_run_outcomes_status CHECK (status IN ('parked', 'empty', 'carried'));
CREATE INDEX invoice_run_outcomes_carried ON invoice_run_outcomes (zitadel_org_id, period_start)
    WHERE status = 'carried';

CREATE TABLE carried_periods (
    invoice_id     bigint NOT NULL REFERENCES invoices,
    zitadel_org_id text NOT NULL,
    period_start   date NOT NULL,
    PRIMARY KEY (invoice_id, period_start)
);
CREATE INDEX carried_periods_org ON carried_periods (zitadel_org_id, period_start);
COMMENT ON TABLE carried_periods IS 'periods that a bill has beside its own; written by a trigger alone';
CREATE TRIGGER carried_periods_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON carried_periods
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""

# A bill has lines of other months only where something was carried; then looking is worth it.
CARRIED = """
CREATE FUNCTION pieced_note_carried_periods() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM invoice_run_outcomes WHERE status = 'carried') THEN
        INSERT INTO carried_periods (invoice_id, zitadel_org_id, period_start)
        SELECT DISTINCT bill.id, bill.zitadel_org_id, date_trunc('month', line.service_from::timestamp)::date
        FROM new_documents AS bill JOIN invoice_lines AS line ON line.invoice_id = bill.id
        WHERE bill.credits IS NULL AND line.adjusts IS NULL AND line.service_from < bill.period_start;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoices_note_carried_periods AFTER INSERT ON invoices
    REFERENCING NEW TABLE AS new_documents
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_note_carried_periods();

CREATE VIEW standing_periods AS
SELECT bill.id AS invoice_id, bill.zitadel_org_id, bill.period_start FROM invoices AS bill
WHERE bill.credits IS NULL
    AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes)
UNION ALL
SELECT carried.invoice_id, carried.zitadel_org_id, carried.period_start FROM carried_periods AS carried
WHERE NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = carried.invoice_id AND credit.completes);
COMMENT ON VIEW standing_periods IS 'periods that are on a bill that is not credited in full, and that bill';
"""

# As in 0015, but that the month of a line is that of its days of service.
DAYS = """
CREATE OR REPLACE FUNCTION pieced_day_changes(documents bigint[]) RETURNS TABLE (
    tenant_uid text, period_start date, added jsonb, returned jsonb, read_to bigint) LANGUAGE sql STABLE AS $$
    SELECT tenant_uid, period_start,
           coalesce(jsonb_object_agg(dimension, days) FILTER (WHERE days > 0), '{}'),
           coalesce(jsonb_object_agg(dimension, returned_days) FILTER (WHERE returned_days > 0), '{}'), max(read_to)
    FROM (
        SELECT line.tenant_uid,
               coalesce(line.adjusted_period, date_trunc('month', line.service_from::timestamp)::date) AS period_start,
               concat_ws(' ', coalesce(line.adjusts, line.kind), line.package) AS dimension,
               CASE WHEN sum(line.days) = bit_or(line.days) THEN bit_or(line.days)
                    ELSE pieced_not_twice(concat_ws(' ', coalesce(line.adjusts, line.kind), line.package)) END AS days,
               bit_or(line.returned_days) AS returned_days, max(line.read_to) AS read_to
        FROM invoices AS bill JOIN invoice_lines AS line ON line.invoice_id = bill.id
        WHERE bill.id = ANY(documents) AND line.days IS NOT NULL
        GROUP BY 1, 2, 3, coalesce(line.adjusts, line.kind), line.package) AS dimensions
    GROUP BY 1, 2
$$;
"""

# As in 0023, but that a bill may have several periods.
BILLED_AGAIN = """
CREATE OR REPLACE FUNCTION pieced_bill_again() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE
    credited CONSTANT bigint[] := ARRAY(SELECT credits FROM new_documents WHERE completes);
BEGIN
    IF credited <> '{}' THEN
        WITH periods AS (
            SELECT zitadel_org_id, period_start FROM invoices WHERE id = ANY(credited)
            UNION
            SELECT zitadel_org_id, period_start FROM carried_periods WHERE invoice_id = ANY(credited))
        UPDATE billed_days AS billed SET read_to = 0
        FROM periods JOIN tenant_billing_lifecycle AS tenant USING (zitadel_org_id)
        WHERE (billed.tenant_uid, billed.period_start) = (tenant.tenant_uid, periods.period_start);
    END IF;
    RETURN NULL;
END $$;
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
            SELECT month FROM months WHERE month IS NOT NULL
            UNION
            SELECT period_start FROM carried_periods AS carried WHERE NOT EXISTS (
                SELECT FROM invoices AS credit WHERE credit.credits = carried.invoice_id AND credit.completes);
    ELSE
        RETURN QUERY SELECT DISTINCT period_start FROM standing_periods WHERE zitadel_org_id = org;
    END IF;
END $$;
"""

STATUS = """
CREATE OR REPLACE VIEW invoice_status AS
SELECT standing.period_start, standing.zitadel_org_id, 'finalised' AS status, bill.number, NULL::text AS code,
       NULL::text AS reason, bill.finalised_at AS since
FROM standing_periods AS standing JOIN invoices AS bill ON bill.id = standing.invoice_id
UNION ALL
SELECT period_start, zitadel_org_id, status, NULL, code, reason, decided_at FROM (
    SELECT DISTINCT ON (zitadel_org_id, period_start) * FROM invoice_run_outcomes
    ORDER BY zitadel_org_id, period_start, id DESC) AS latest
WHERE NOT EXISTS (
    SELECT FROM standing_periods AS standing
    WHERE (standing.zitadel_org_id, standing.period_start) = (latest.zitadel_org_id, latest.period_start));
"""


def upgrade() -> None:
    run(MINIMUM + CARRIED + DAYS + BILLED_AGAIN + FINALISED + STATUS)
