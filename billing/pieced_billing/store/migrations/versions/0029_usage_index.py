"""A tenant's usage of a month is read from the index alone: an invoice run spends most of the server's time on it.

The records of a tenant lie on as many pages as there were imports; in the index they lie side by side.
"""

from pieced_billing.store.migrations.sql import run

revision = "0029_usage_index"
down_revision = "0028_sent_again"
branch_labels = None
depends_on = None

USAGE_INDEX = """
DROP INDEX usage_records_tenant;
CREATE INDEX usage_records_tenant ON usage_records (tenant_uid, occurred_at) INCLUDE (meter, quantity);
"""


def upgrade() -> None:
    run(USAGE_INDEX)
