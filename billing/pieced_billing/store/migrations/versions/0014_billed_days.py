"""No day is billed twice: what the lines of bills bill of a tenant UID, a dimension and a day, and nobody else does.

Each line has the days that it bills as a set of bits (bit 0 is the 1st). `billed_days` has, per UID and period, the set
of each dimension, which is a kind of charge and its package. A bill adds to it what is not in it yet, or is refused; a
credit note that leaves nothing of its invoice takes out what that one added. Only the triggers write there.
"""

from pieced_billing.store.migrations.sql import run

revision = "0014_billed_days"
down_revision = "0013_usage_sources"
branch_labels = None
depends_on = None

# Lines of before have no days: nobody knows them any more, and what is on them is kept once by invoices_once.
DAYS = """
ALTER TABLE invoice_lines ADD COLUMN days integer, ADD CONSTRAINT invoice_lines_days
    CHECK ((CASE WHEN original_position IS NULL THEN days > 0 ELSE days = 0 END) IS TRUE) NOT VALID;
COMMENT ON COLUMN invoice_lines.days IS 'the days of the period that are billed, bit 0 is the 1st; 0 on a credit note';

CREATE TABLE billed_days (
    tenant_uid   text NOT NULL,
    period_start date NOT NULL,
    days         jsonb NOT NULL,
    PRIMARY KEY (tenant_uid, period_start)
);
COMMENT ON TABLE billed_days IS 'which days of which dimension are on a bill that stands; written by triggers alone';
COMMENT ON COLUMN billed_days.days IS 'by kind of charge and package: a set of days, bit 0 is the 1st';
"""

SETS = """
CREATE FUNCTION pieced_days_added(before jsonb, added jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    dimension text;
    days integer;
BEGIN
    FOR dimension, days IN SELECT key, value::integer FROM jsonb_each_text(added) LOOP
        IF coalesce((before ->> dimension)::integer, 0) & days <> 0 THEN
            RAISE EXCEPTION 'a day would be billed twice: %', dimension USING ERRCODE = 'exclusion_violation';
        END IF;
        before := before || jsonb_build_object(dimension, coalesce((before ->> dimension)::integer, 0) | days);
    END LOOP;
    RETURN before;
END $$;

CREATE FUNCTION pieced_days_removed(before jsonb, removed jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    dimension text;
    days integer;
BEGIN
    FOR dimension, days IN SELECT key, value::integer FROM jsonb_each_text(removed) LOOP
        IF coalesce((before ->> dimension)::integer, 0) & days <> days THEN
            RAISE EXCEPTION 'a day would be taken back that is not billed: %', dimension
                USING ERRCODE = 'exclusion_violation';
        END IF;
        before := before || jsonb_build_object(dimension, (before ->> dimension)::integer & ~days);
    END LOOP;
    RETURN before;
END $$;

-- Sets that share no day are added without a carry: their sum is their union.
CREATE FUNCTION pieced_union(sum_of_days bigint, union_of_days integer, dimension text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF sum_of_days <> union_of_days THEN
        RAISE EXCEPTION 'a day would be billed twice: %', dimension USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN union_of_days;
END $$;
"""

BILLED_ONCE = """
CREATE FUNCTION pieced_bill_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM new_documents WHERE completes) THEN
        UPDATE billed_days AS billed SET days = pieced_days_removed(billed.days, credited.days)
        FROM (
            SELECT tenant_uid, period_start, jsonb_object_agg(dimension, days) AS days FROM (
                SELECT line.tenant_uid, credit.period_start, concat_ws(' ', line.kind, line.package) AS dimension,
                       bit_or(line.days) AS days
                FROM new_documents AS credit JOIN invoice_lines AS line ON line.invoice_id = credit.credits
                WHERE credit.completes AND line.days > 0 GROUP BY 1, 2, 3) AS dimensions
            GROUP BY 1, 2) AS credited
        WHERE (billed.tenant_uid, billed.period_start) = (credited.tenant_uid, credited.period_start);
    END IF;
    INSERT INTO billed_days AS billed
    SELECT tenant_uid, period_start, jsonb_object_agg(dimension, days) FROM (
        SELECT line.tenant_uid, bill.period_start, concat_ws(' ', line.kind, line.package) AS dimension,
               pieced_union(sum(line.days), bit_or(line.days), concat_ws(' ', line.kind, line.package)) AS days
        FROM new_documents AS bill JOIN invoice_lines AS line ON line.invoice_id = bill.id
        WHERE bill.credits IS NULL GROUP BY 1, 2, 3) AS dimensions
    GROUP BY 1, 2
    ON CONFLICT (tenant_uid, period_start) DO UPDATE SET days = pieced_days_added(billed.days, excluded.days);
    RETURN NULL;
END $$;
CREATE TRIGGER invoices_bill_days_once AFTER INSERT ON invoices
    REFERENCING NEW TABLE AS new_documents
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_bill_days();
"""


def upgrade() -> None:
    run(DAYS + SETS + BILLED_ONCE)
