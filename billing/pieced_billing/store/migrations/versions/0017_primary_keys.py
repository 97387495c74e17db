"""A primary key for every table that lost its own to the chain: where there is one, what tells its rows apart anyway.

Events and usage are many and imported at once, and an index more costs a tenth of that: their key is one that they had
as a unique constraint. Replication and tools that copy rows find them by it.
"""

from pieced_billing.store.migrations.sql import run

revision = "0017_primary_keys"
down_revision = "0016_ledger_sealed"
branch_labels = None
depends_on = None

NATURAL = (
    ("tenant_lifecycle_events", "seq", "tenant_uid, seq"),
    ("tenant_skill_events", "seq", "tenant_uid, seq"),
    ("tenant_suspension_events", "seq", "tenant_uid, seq"),
    ("usage_records", "once", "source, usage_id"),
)
SURROGATE = ("tenant_discontinuities", "tenant_resume_requests")


def upgrade() -> None:
    natural = (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{constraint}, ADD PRIMARY KEY ({columns});"
        for table, constraint, columns in NATURAL
    )
    run("".join((*natural, *(f"ALTER TABLE {table} ADD PRIMARY KEY (id);" for table in SURROGATE))))
