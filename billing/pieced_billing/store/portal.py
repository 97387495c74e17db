"""The portal's own billing tables: same names as ours, other columns, and facts in them that must not be lost."""

from typing import Final

from psycopg import sql

from pieced_billing.errors import Refused
from pieced_billing.store.connections import Connection

TABLES: Final = (
    "invoice_reminders",
    "invoice_lines",
    "invoices",
    "invoice_number_counters",
    "org_payment_methods",
    "org_billing_config",
    "tenant_suspension_events",
    "tenant_skill_events",
    "tenant_billing_lifecycle",
    "skill_pricing",
    "platform_pricing",
)
"""The eleven tables, each before those that it may refer to."""

_TOUCHED_PRICES: Final = """
SELECT count(*) FROM (SELECT to_jsonb(platform_pricing) AS row FROM platform_pricing) AS rows
WHERE ((row ->> 'tenant_setup_fee_chf')::numeric = 0 AND (row ->> 'tenant_monthly_fee_chf')::numeric = 0
       AND (row ->> 'threema_message_chf')::numeric = 0 AND (row ->> 'vat_rate_chli')::numeric = 8.10) IS NOT TRUE
"""


class PortalTablesFilled(Refused):
    """The database is the portal's, and billing has begun in it."""

    code = "portal_tables_filled"

    def __init__(self, tables: list[str]) -> None:
        super().__init__(
            f"This database already holds the portal's own billing records (in {', '.join(tables)}) and nothing of it "
            "was changed; run `pieced db upgrade` on an empty database instead and bring them over as files with "
            "`pieced ledger import`, `pieced price apply` and `pieced org apply`."
        )


def make_room(connection: Connection) -> None:
    """Drop the portal's tables while they are empty; refuse when one has rows (the pricing row of zeros is none)."""
    found = [table for table in TABLES if _exists(connection, table)]
    for table in found:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
    filled = [table for table in found if _filled(connection, table)]
    if filled:
        raise PortalTablesFilled(sorted(filled))
    for table in found:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))


def _exists(connection: Connection, table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,)


def _filled(connection: Connection, table: str) -> bool:
    name = sql.Identifier(table)
    if table == "platform_pricing":
        return connection.execute(_TOUCHED_PRICES).fetchone() != (0,)
    return connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name)).fetchone() == (True,)
