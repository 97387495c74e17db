"""What the application's role may do with each table: never more than the program needs."""

from typing import Final

from psycopg import sql

from pieced_billing.store.connections import Connection

READ: Final = "SELECT"
APPEND: Final = "SELECT, INSERT"
EDIT: Final = "SELECT, INSERT, UPDATE"
REPLACE: Final = "SELECT, INSERT, UPDATE, DELETE"

PRIVILEGES: Final = {
    "pieced_alembic_version": READ,
    "billing_settings": (
        "SELECT, UPDATE (billing_start), UPDATE (numbers_sealed), UPDATE (ledger_sealed), UPDATE (unusual_factor)"
    ),
    "tenant_billing_lifecycle": EDIT,
    "tenant_lifecycle_events": APPEND,
    "tenant_skill_events": APPEND,
    "tenant_suspension_events": APPEND,
    "tenant_resume_requests": APPEND,
    "tenant_discontinuities": APPEND,
    "watch_positions": EDIT,
    "ledger_checks": APPEND,
    "usage_records": APPEND,
    "usage_sources": EDIT,
    "usage_coverage": EDIT,
    "exchange_rates": APPEND,
    "ledger_chains": EDIT,
    "platform_pricing": EDIT,
    "skill_pricing": REPLACE,
    "price_versions": APPEND,
    "org_billing_config": EDIT,
    "org_terms_versions": APPEND,
    "org_payment_methods": EDIT,
    "invoice_number_counters": EDIT,
    "invoice_number_holes": APPEND,
    "invoices": APPEND,
    "invoices_id_seq": "USAGE",
    "invoice_lines": APPEND,
    "billed_days": READ,
    "late_facts_compared": EDIT,
    "invoice_documents": APPEND,
    "issuing_entity_versions": APPEND,
    "mail_outbox": EDIT,
    "invoice_payments": APPEND,
    "invoice_reminders": APPEND,
    "invoice_run_outcomes": APPEND,
    "invoice_status": READ,
    "carried_periods": READ,
    "standing_periods": READ,
}
"""Privileges by table; one that is not named here the application cannot even read."""


def grant(connection: Connection, role: str) -> None:
    """Give the application's role exactly PRIVILEGES; nothing happens where it is the owner itself."""
    owner = connection.execute("SELECT current_user, current_schema").fetchone()
    assert owner is not None
    if owner[0] == role:
        return
    name = sql.Identifier(role)
    usage = connection.execute("SELECT has_schema_privilege(%s, %s, 'USAGE')", [role, owner[1]]).fetchone()
    if usage == (False,):
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(owner[1]), name))
    for table, privileges in PRIVILEGES.items():
        on = sql.Identifier(table)
        connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(on, name))
        connection.execute(sql.SQL("GRANT " + privileges + " ON {} TO {}").format(on, name))
    _grant_temporary_tables(connection, role)


def _grant_temporary_tables(connection: Connection, role: str) -> None:
    """Let the application stage an import, where the owner of the tables may: the owner of the database can, too."""
    row = connection.execute(
        """SELECT current_database(), has_database_privilege(%s, current_database(), 'TEMPORARY'),
               has_database_privilege(current_database(), 'TEMPORARY WITH GRANT OPTION')""",
        [role],
    ).fetchone()
    assert row is not None
    database, has, may_grant = row
    if may_grant and not has:
        grant = sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}")
        connection.execute(grant.format(sql.Identifier(database), sql.Identifier(role)))
