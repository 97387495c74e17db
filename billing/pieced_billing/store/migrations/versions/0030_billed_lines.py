"""The days that documents bill are read from their lines without a look at the documents.

Where the server thinks that there are no documents yet, as after a vacuum of what a dry run had written, it joined the
two by reading all lines for each document.
"""

from pieced_billing.store.migrations.sql import run

revision = "0030_billed_lines"
down_revision = "0029_usage_index"
branch_labels = None
depends_on = None

DAY_CHANGES = """
CREATE OR REPLACE FUNCTION pieced_day_changes(documents bigint[]) RETURNS TABLE (
    tenant_uid text, period_start date, added jsonb, returned jsonb, read_to bigint
) LANGUAGE sql STABLE AS $$
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
        FROM invoice_lines AS line
        WHERE line.invoice_id = ANY(documents) AND line.days IS NOT NULL
        GROUP BY 1, 2, 3, coalesce(line.adjusts, line.kind), line.package) AS dimensions
    GROUP BY 1, 2
$$;
"""


def upgrade() -> None:
    run(DAY_CHANGES)
