"""Where every tenant's chain ends: now, and where it ended at an earlier instant, by what was recorded until then."""

from collections.abc import Iterator
from typing import Final

from psycopg import sql

from pieced_billing.ledger.chain import LINKED, Chain
from pieced_billing.ledger.seal import Head
from pieced_billing.store.connections import Connection

_AT_ONCE: Final = 5000

_NOW: Final = sql.SQL("""
SELECT chain.tenant_uid, tenant_name, length, head, rows
FROM ledger_chains AS chain LEFT JOIN tenant_billing_lifecycle USING (tenant_uid)
WHERE length > 0 ORDER BY chain.tenant_uid COLLATE "C"
""")

_THEN: Final = sql.SQL("""
SELECT linked.tenant_uid, tenant_name, max(link), (array_agg(link_hash ORDER BY link DESC))[1],
       jsonb_strip_nulls(jsonb_build_object({counts}))
FROM ({rows}) AS linked LEFT JOIN tenant_billing_lifecycle USING (tenant_uid)
WHERE link IS NOT NULL GROUP BY linked.tenant_uid, tenant_name ORDER BY linked.tenant_uid COLLATE "C"
""").format(
    counts=sql.SQL(", ").join(
        sql.SQL("{table}, nullif(count(*) FILTER (WHERE linked_table = {table}), 0)").format(table=sql.Literal(table))
        for table in LINKED
    ),
    rows=sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT tenant_uid, {} AS linked_table, link, link_hash FROM {} WHERE recorded_at <= %(at)s").format(
            sql.Literal(table), sql.Identifier(table)
        )
        for table in LINKED
    ),
)


def heads_now(connection: Connection) -> Iterator[Head]:
    """The heads that the ledger keeps, by UID in code points."""
    return _heads(connection, _NOW)


def heads_then(connection: Connection, at: str) -> Iterator[Head]:
    """The heads of the rows that were recorded until an instant (UTC, as text), by UID in code points."""
    return _heads(connection, _THEN, at)


def _heads(connection: Connection, query: sql.SQL | sql.Composed, at: str | None = None) -> Iterator[Head]:
    with connection.cursor("heads") as cursor:
        cursor.itersize = _AT_ONCE
        for uid, tenant, length, head, rows in cursor.execute(query, {"at": at}):
            yield Head(uid, tenant, Chain(length, head, rows))
