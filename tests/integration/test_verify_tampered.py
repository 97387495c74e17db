"""One changed value in any table that an invoice stands on is found, whoever gets past constraints and triggers."""

from collections.abc import Iterator

import pytest
from psycopg import sql

from pieced_billing.invoicing.corrections import credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.store.connections import Connection, connect
from pieced_billing.verification.verified import Verified
from pieced_billing.verification.verify import Verification
from tests.books import APRIL, add_customers, run_invoices
from tests.databases import Database
from tests.issuers import describe
from tests.latecomers import ORG, TENANT, enable, use

OTHER_VALUES = {
    "bigint": "coalesce({0}, 0) + 1000",
    "integer": "coalesce({0}, 0) + 1000",
    "numeric": "{0} + 0.01",
    "boolean": "NOT {0}",
    "text": "coalesce({0}, '') || ' '",
    "date": "coalesce({0}, date '2026-01-01') + 1",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
    "json": "(left(coalesce({0}::text, '{{}}'), -1) || ' }}')::json",
    "jsonb": "{0} || '{{\"usage_records\": 99}}'",
    "bytea": "coalesce({0}, '') || '\\x00'",
}
EVENTS = ("tenant_lifecycle_events", "tenant_skill_events", "tenant_suspension_events")
ROWS = {
    **dict.fromkeys(EVENTS, ("true",)),
    "usage_records": ("true",),
    "ledger_chains": ("true",),
    "price_versions": ("true",),
    "org_terms_versions": ("true",),
    "issuing_entity_versions": ("true",),
    "invoices": ("credits IS NULL", "credits IS NOT NULL"),
    "invoice_lines": (
        "read_to IS NOT NULL",
        "adjusts IS NOT NULL",
        "original_position IS NOT NULL AND adjusts IS NULL",
    ),
    "billed_days": ("true",),
    "invoice_documents": ("true",),
    "invoice_number_counters": ("true",),
}
SAYS_NOTHING = {
    *((table, "id") for table in (*EVENTS, "usage_records")),  # the order of insertion is the chain's
    ("invoice_documents", "rendered_at"),
}


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    """The owner of the tables, in a transaction in which nothing keeps anybody from changing anything."""
    with connect(database.url) as connection:
        connection.autocommit = True
        add_customers(connection, 1)
        describe(connection)
        use(connection, "10", "2026-03-05T10:00:00Z")
        connection.execute(
            "INSERT INTO tenant_suspension_events"
            " (tenant_uid, tenant_name, zitadel_org_id, seq, event_kind, occurred_at, quality, source)"
            " VALUES (%s, 'tenant-of-org-0001', %s, 2, 'suspended', '2026-03-20T10:00:00Z', 'exact', 'import')",
            [TENANT, ORG],
        )
        (march,) = run_invoices(connection).numbers
        enable(connection, "enabled", "2026-03-15T10:00:00Z", 3)
        run_invoices(connection, APRIL)
        credit_invoice(connection, march, Wanted([1]), "goodwill")
        connection.execute("INSERT INTO invoice_documents (invoice_id, pdf, sha256) VALUES (1, 'pdf', sha256('pdf'))")
    with connect(database.owner_url) as opened:
        for table in ROWS:
            opened.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
            for column in columns(opened, table):
                drop = sql.SQL("ALTER TABLE {} ALTER {} DROP IDENTITY IF EXISTS")
                opened.execute(drop.format(sql.Identifier(table), sql.Identifier(column)))
        query = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('c', 'f', 'u')"
        for table, name in opened.execute(query).fetchall():
            if table in ROWS:
                drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE")
                opened.execute(drop.format(sql.Identifier(table), sql.Identifier(name)))
        yield opened
        opened.rollback()


def verified(owner: Connection) -> Verified:
    return Verification(owner).run()


def columns(owner: Connection, table: str) -> dict[str, str]:
    query = """SELECT attname, atttypid::regtype::text FROM pg_attribute
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"""
    return dict(owner.execute(query, [table]).fetchall())


def test_one_changed_value_in_any_column_is_found(owner: Connection) -> None:
    assert verified(owner).differences == []
    missed = []
    for table, conditions in ROWS.items():
        for column, kind in columns(owner, table).items():
            for condition in conditions:
                change = f"UPDATE {table} SET {column} = {OTHER_VALUES[kind].format(column)}"
                where = f"WHERE ctid = (SELECT min(ctid) FROM {table} WHERE {condition})"
                with owner.transaction(force_rollback=True):
                    assert owner.execute(f"{change} {where}".encode()).rowcount == 1
                    if (verified(owner).found == 0) is not ((table, column) in SAYS_NOTHING):
                        missed.append((table, column, condition))
    assert missed == []


def test_a_row_that_is_gone_is_found(owner: Connection) -> None:
    for table, conditions in ROWS.items():
        if table in ("invoice_documents", "ledger_chains"):
            continue  # a document is made when it is asked for; without its end a chain is what its rows are
        for condition in conditions:
            with owner.transaction(force_rollback=True):
                owner.execute(
                    f"DELETE FROM {table} WHERE ctid = (SELECT max(ctid) FROM {table} WHERE {condition})".encode()
                )
                assert verified(owner).found > 0, (table, condition)


def test_a_difference_says_which_invoice_and_line_what_is_stored_and_what_is_right(owner: Connection) -> None:
    owner.execute("UPDATE invoice_lines SET amount = 30.99 WHERE (invoice_id, position) = (1, 2)")
    number = owner.execute("SELECT number FROM invoices WHERE id = 1").fetchone()
    assert number is not None
    assert [tuple(one) for one in verified(owner).differences] == [(number[0], 2, "amount", "30.99", "20.00")]
