"""A month with nothing of its own whose bill waits is held: what it would have put right, or carried, is on the next.

It is held only until the organisation has another bill: that has all of it, and the month is empty.
"""

from pieced_billing.store.migrations.sql import run

revision = "0027_held"
down_revision = "0026_compared"
branch_labels = None
depends_on = None

HELD = """
ALTER TABLE invoice_run_outcomes DROP CONSTRAINT invoice_run_outcomes_status,
    ADD CONSTRAINT invoice_run_outcomes_status CHECK (status IN ('parked', 'empty', 'carried', 'held'));
"""

# As in 0025, but for held periods.
STATUS = """
CREATE OR REPLACE VIEW invoice_status AS
SELECT standing.period_start, standing.zitadel_org_id, 'finalised' AS status, bill.number, NULL::text AS code,
       NULL::text AS reason, bill.finalised_at AS since
FROM standing_periods AS standing JOIN invoices AS bill ON bill.id = standing.invoice_id
UNION ALL
SELECT period_start, zitadel_org_id,
       CASE WHEN status = 'held' AND EXISTS (
           SELECT FROM standing_periods AS standing JOIN invoices AS bill ON bill.id = standing.invoice_id
           WHERE bill.zitadel_org_id = latest.zitadel_org_id AND bill.finalised_at > latest.decided_at)
       THEN 'empty' ELSE status END,
       NULL, code, reason, decided_at
FROM (
    SELECT DISTINCT ON (zitadel_org_id, period_start) * FROM invoice_run_outcomes
    ORDER BY zitadel_org_id, period_start, id DESC) AS latest
WHERE NOT EXISTS (
    SELECT FROM standing_periods AS standing
    WHERE (standing.zitadel_org_id, standing.period_start) = (latest.zitadel_org_id, latest.period_start));
"""


def upgrade() -> None:
    run(HELD + STATUS)
