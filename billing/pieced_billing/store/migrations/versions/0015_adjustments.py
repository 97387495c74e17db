"""Adjustments: lines that put a finalised period right, and how far each period has been read when it was billed.

An adjustment is about the period of another bill. It bills days that were not billed and takes back days that were,
both in the `billed_days` of that period. `read_to` is the place in the UID's hash chain up to which a bill knew its
facts: each bill of a UID and period has to have read further than the one before, so that no usage is billed by two.
"""

from pieced_billing.store.migrations.sql import run

revision = "0015_adjustments"
down_revision = "0014_billed_days"
branch_labels = None
depends_on = None

LINES = """
ALTER TABLE invoice_lines
    ADD COLUMN read_to bigint,
    ADD COLUMN adjusts text,
    ADD COLUMN adjusted_period date,
    ADD COLUMN original_invoice_id bigint,
    ADD COLUMN returned_days integer NOT NULL DEFAULT 0 CHECK (returned_days >= 0),
    DROP CONSTRAINT invoice_lines_days,
    ADD CONSTRAINT invoice_lines_days CHECK (
        (CASE WHEN adjusts IS NOT NULL THEN days >= 0 AND days & returned_days = 0
              WHEN returned_days <> 0 THEN false
              WHEN original_position IS NULL THEN days > 0
              ELSE days = 0 END) IS TRUE) NOT VALID,
    ADD CONSTRAINT invoice_lines_adjusts CHECK (
        (adjusts IS NULL) = (adjusted_period IS NULL) AND (adjusts IS NULL) = (original_invoice_id IS NULL));
CREATE INDEX invoice_lines_adjustments ON invoice_lines (tenant_uid, adjusted_period) WHERE adjusts IS NOT NULL;
COMMENT ON COLUMN invoice_lines.original_position IS 'on a credit note or an adjustment: which line of the original';
COMMENT ON COLUMN invoice_lines.adjusts IS 'the kind of charge of another period that the line puts right';
COMMENT ON COLUMN invoice_lines.returned_days IS 'days that were billed and are no more, bit 0 is the 1st';
COMMENT ON COLUMN invoice_lines.read_to IS 'how far the hash chain of the UID was read when the line was made';

ALTER TABLE billed_days ADD COLUMN read_to bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN billed_days.read_to IS 'up to here in the chain of the UID its facts are billed; 0 after a credit';
CREATE INDEX billed_days_to_read_again ON billed_days (tenant_uid) WHERE read_to = 0;
"""

# What is recorded in a later month than it happened in, within the offsets of all time zones.
LATE = """
CREATE FUNCTION pieced_is_late(occurred_at timestamptz, recorded_at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT date_trunc('month', (recorded_at AT TIME ZONE 'UTC') + interval '14 hours')
         > date_trunc('month', (occurred_at AT TIME ZONE 'UTC') - interval '12 hours')
$$;
CREATE INDEX usage_records_late ON usage_records (tenant_uid, occurred_at)
    WHERE pieced_is_late(occurred_at, recorded_at);
"""

BILLED_ONCE = """
CREATE FUNCTION pieced_not_twice(dimension text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a day would be billed twice: %', dimension USING ERRCODE = 'exclusion_violation';
END $$;

-- What a credited bill did is undone, whatever later bills made of it: what they say is then compared anew.
CREATE FUNCTION pieced_days_undone(before jsonb, added jsonb, returned jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    dimension text;
    days integer;
BEGIN
    FOR dimension, days IN SELECT key, value::integer FROM jsonb_each_text(added) LOOP
        before := before || jsonb_build_object(dimension, coalesce((before ->> dimension)::integer, 0) & ~days);
    END LOOP;
    FOR dimension, days IN SELECT key, value::integer FROM jsonb_each_text(returned) LOOP
        before := before || jsonb_build_object(dimension, coalesce((before ->> dimension)::integer, 0) | days);
    END LOOP;
    RETURN before;
END $$;

CREATE FUNCTION pieced_read_further(before bigint, after bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF (after > before) IS NOT TRUE THEN
        RAISE EXCEPTION 'billed again without having read further than to %', before
            USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN after;
END $$;

-- Sets that share no day are added without a carry: their sum is their union.
CREATE FUNCTION pieced_day_changes(documents bigint[]) RETURNS TABLE (
    tenant_uid text, period_start date, added jsonb, returned jsonb, read_to bigint) LANGUAGE sql STABLE AS $$
    SELECT tenant_uid, period_start,
           coalesce(jsonb_object_agg(dimension, days) FILTER (WHERE days > 0), '{}'),
           coalesce(jsonb_object_agg(dimension, returned_days) FILTER (WHERE returned_days > 0), '{}'), max(read_to)
    FROM (
        SELECT line.tenant_uid, coalesce(line.adjusted_period, bill.period_start) AS period_start,
               concat_ws(' ', coalesce(line.adjusts, line.kind), line.package) AS dimension,
               CASE WHEN sum(line.days) = bit_or(line.days) THEN bit_or(line.days)
                    ELSE pieced_not_twice(concat_ws(' ', coalesce(line.adjusts, line.kind), line.package)) END AS days,
               bit_or(line.returned_days) AS returned_days, max(line.read_to) AS read_to
        FROM invoices AS bill JOIN invoice_lines AS line ON line.invoice_id = bill.id
        WHERE bill.id = ANY(documents) AND line.days IS NOT NULL
        GROUP BY 1, 2, 3, coalesce(line.adjusts, line.kind), line.package) AS dimensions
    GROUP BY 1, 2
$$;

CREATE OR REPLACE FUNCTION pieced_bill_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE
    completed CONSTANT bigint[] := ARRAY(SELECT credits FROM new_documents WHERE completes);
    bills CONSTANT bigint[] := ARRAY(SELECT id FROM new_documents WHERE credits IS NULL);
BEGIN
    IF completed <> '{}' THEN
        UPDATE billed_days AS billed SET read_to = 0,
            days = pieced_days_undone(billed.days, change.added, change.returned)
        FROM pieced_day_changes(completed) AS change
        WHERE (billed.tenant_uid, billed.period_start) = (change.tenant_uid, change.period_start);
    END IF;
    IF bills <> '{}' THEN
        WITH changes AS MATERIALIZED (SELECT * FROM pieced_day_changes(bills)
        ), updated AS (
            UPDATE billed_days AS billed SET read_to = pieced_read_further(billed.read_to, change.read_to),
                days = pieced_days_added(pieced_days_removed(billed.days, change.returned), change.added)
            FROM changes AS change
            WHERE (billed.tenant_uid, billed.period_start) = (change.tenant_uid, change.period_start)
            RETURNING billed.tenant_uid, billed.period_start)
        INSERT INTO billed_days (tenant_uid, period_start, days, read_to)
        SELECT tenant_uid, period_start,
               CASE WHEN returned = '{}' THEN added ELSE pieced_days_removed('{}', returned) END, coalesce(read_to, 0)
        FROM changes
        WHERE NOT EXISTS (
            SELECT FROM updated
            WHERE (updated.tenant_uid, updated.period_start) = (changes.tenant_uid, changes.period_start));
    END IF;
    RETURN NULL;
END $$;
DROP FUNCTION pieced_union(bigint, integer, text);
"""


def upgrade() -> None:
    run(LINES + LATE + BILLED_ONCE)
