"""Up to where late facts have been compared with what was billed, so that no run looks at them again for nothing.

What a bill has read is kept by `billed_days`, through its lines. A fact that changes no amount leaves no line: of a
tenant without any on the bill, nothing said that it had been looked at.
"""

from pieced_billing.store.migrations.sql import run

revision = "0026_compared"
down_revision = "0025_minimum_amount"
branch_labels = None
depends_on = None

COMPARED = """
CREATE TABLE late_facts_compared (
    tenant_uid text PRIMARY KEY,
    read_to    bigint NOT NULL CHECK (read_to > 0)
);
COMMENT ON TABLE late_facts_compared IS 'up to here in a chain, what came late is on a bill or changes none';
"""


def upgrade() -> None:
    run(COMPARED)
