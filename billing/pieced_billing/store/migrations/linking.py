"""Making a table one whose rows are links of their tenants' hash chains (ledger/chain.py)."""

_TRIGGERS = """
ALTER TABLE {table} ADD COLUMN link bigint, ADD COLUMN link_hash bytea;
CREATE TRIGGER {table}_link BEFORE INSERT ON {table} FOR EACH ROW
    WHEN (current_setting('pieced.recording', true) = 'row by row') EXECUTE FUNCTION pieced_link();
CREATE TRIGGER {table}_linked AFTER INSERT ON {table} FOR EACH ROW
    WHEN (current_setting('pieced.recording', true) = 'row by row') EXECUTE FUNCTION pieced_linked();
"""


def link_table(table: str) -> str:
    """SQL that gives an append-only table with a `tenant_uid` its links; `chain.LINKED` has to name it too.

    A column that a linked table gets later has to be null in the rows that are there, which says nothing of them. After
    a new column of `tenant_billing_lifecycle`, `SELECT pieced_make_stamp()` has to follow, and an update of all rows.
    """
    return _TRIGGERS.format(table=table)
