"""Reading the ledger for a verification: tenant after tenant, every row as text, whatever columns its table has.

The canonical JSON of a row is put together by the server, from its columns, by a query that is written here: nothing
that the database keeps, neither a hash nor a function, is believed.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from psycopg import sql

from pieced_billing.ledger.chain import LINKED, NOT_HASHED, Chain, Entry
from pieced_billing.store.bulk import bulk_rows
from pieced_billing.store.connections import Connection

TENANTS: Final = "tenant_billing_lifecycle"

_TENANTS_AT_ONCE: Final = 2000
_PLAIN: Final = frozenset(("bigint", "boolean", "integer", "numeric"))
"""Types whose text is the same in PostgreSQL and in JSON."""

_SUBJECTS: Final = sql.SQL("""
SELECT uids.tenant_uid, chain.length, chain.head, chain.rows, row.stamp, row.tenant_uid IS NOT NULL, {values}
FROM ({uids}) AS uids
LEFT JOIN ledger_chains AS chain ON chain.tenant_uid = uids.tenant_uid
LEFT JOIN tenant_billing_lifecycle AS row ON row.tenant_uid = uids.tenant_uid
ORDER BY uids.tenant_uid COLLATE "C"
""")

# LATERAL, and OFFSET to keep it so: the rows of each tenant by index.
_ENTRIES: Final = sql.SQL("""
SELECT tenant.number, row.* FROM unnest(%(uids)s::text[]) WITH ORDINALITY AS tenant (uid, number)
CROSS JOIN LATERAL ({rows} OFFSET 0) AS row
ORDER BY tenant.number, row.link
""")


class Subject(NamedTuple):
    """A tenant UID that any table names: the end of its chain, and its own row with the stamp; None if it has none."""

    uid: str
    chain: Chain | None
    row: Mapping[str, str | None] | None
    stamp: bytes | None


class LinkedRows:
    """The tables as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._columns = _columns(connection)
        self._names = sorted({"table", *self._columns[TENANTS]})

    def subjects(self) -> Iterator[list[Subject]]:
        """Every tenant UID of the ledger, by code points, in batches."""
        uids = sql.SQL(" UNION ").join(
            sql.SQL("SELECT tenant_uid FROM {}").format(sql.Identifier(table))
            for table in (*LINKED, TENANTS, "ledger_chains")
        )
        with self._connection.cursor("subjects") as cursor:
            cursor.execute(self._subjects(uids))
            while batch := cursor.fetchmany(_TENANTS_AT_ONCE):
                yield [_subject(record, self._names) for record in batch]

    def chosen(self, uids: Sequence[str]) -> list[Subject]:
        """These tenant UIDs, by code points."""
        query = self._subjects(sql.SQL("SELECT DISTINCT tenant_uid FROM unnest(%s::text[]) AS chosen (tenant_uid)"))
        return [_subject(record, self._names) for record in self._connection.execute(query, [list(uids)])]

    def _subjects(self, uids: sql.Composable) -> sql.Composed:
        values = sql.SQL(", ").join(self._value(TENANTS, name) for name in self._names)
        return _SUBJECTS.format(values=values, uids=uids)

    def entries(self, batch: Sequence[Subject]) -> Iterator[tuple[Subject, Iterator[Entry]]]:
        """The subjects, in their order, each with its rows: by link, those without one last.

        The rows of one must be used up before the next one is asked for.
        """
        rows = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT link, link_hash, {} FROM {} AS row WHERE row.tenant_uid = tenant.uid").format(
                self._canonical(table), sql.Identifier(table)
            )
            for table in LINKED
        )
        query = _ENTRIES.format(rows=rows).as_string(self._connection)
        records = bulk_rows(self._connection, query, {"uids": [subject.uid for subject in batch]})
        following = 0
        for number, of_tenant in groupby(records, itemgetter(0)):
            yield from ((rowless, iter(())) for rowless in batch[following : number - 1])
            yield batch[number - 1], (Entry(link, stated, text.encode()) for _, link, stated, text in of_tenant)
            following = number
        yield from ((rowless, iter(())) for rowless in batch[following:])

    def _canonical(self, table: str) -> sql.Composable:
        """What `chain.canonical` makes of a row, in SQL; concat_ws leaves out what is null."""
        members = (self._member(table, name) for name in sorted({"table", *self._columns[table]}))
        return sql.SQL("'{{' || concat_ws(',', {}) || '}}'").format(sql.SQL(", ").join(members))

    def _member(self, table: str, name: str) -> sql.Composable:
        """A column's name and value in JSON; null where it is null."""
        if name == "table":
            return sql.Literal(f'"table":"{table}"')
        column, key = sql.Identifier("row", name), f'"{name}":'
        match self._columns[table][name]:
            case "text" | "timestamp with time zone":
                return sql.SQL("{} || to_json({})::text").format(key, column)
            case kind if kind in _PLAIN:
                return sql.SQL("{} || {} || '\"'").format(f'{key}"', column)
            case _:
                return sql.SQL("{} || to_json({})::text").format(key, self._value(table, name))

    def _value(self, table: str, name: str) -> sql.Composable:
        """A column as text."""
        if name == "table":
            return sql.Literal(table)
        column = sql.Identifier("row", name)
        match self._columns[table][name]:
            case "text":
                return column
            case kind if kind in _PLAIN:
                return sql.SQL("{}::text").format(column)
            case _:
                return sql.SQL("to_json({}) #>> '{{}}'").format(column)


def _columns(connection: Connection) -> dict[str, dict[str, str]]:
    """The hashed columns of each table and their types."""
    found: dict[str, dict[str, str]] = {table: {} for table in (*LINKED, TENANTS)}
    records = connection.execute(
        """SELECT attrelid::regclass::text, attname, atttypid::regtype::text FROM pg_attribute
           WHERE attrelid = ANY(%s::regclass[]) AND attnum > 0 AND NOT attisdropped""",
        [list(found)],
    )
    for table, name, kind in records:
        if name not in NOT_HASHED:
            found[table][name] = kind
    return found


def _subject(record: Sequence[Any], names: Sequence[str]) -> Subject:
    uid, length, head, rows, stamp, known, *values = record
    chain = None if length is None else Chain(length, head, rows)
    return Subject(uid, chain, dict(zip(names, values, strict=True)) if known else None, stamp)
