"""Tables as an earlier version of the program left them, with rows of a newer one."""

from collections.abc import Iterable

import psycopg
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from pieced_billing.store import revisions
from pieced_billing.store.connections import connect
from tests.databases import Database


def migrate_to(database: Database, revision: str) -> None:
    """Make the tables of an empty database as they were at a revision."""
    config = Config()
    config.set_main_option("script_location", "pieced_billing.store:migrations")
    until = list(ScriptDirectory.from_config(config).iterate_revisions(revision, "base"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(database.owner_url), poolclass=NullPool)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        for script in reversed(until):
            script.module.upgrade()
    engine.dispose()
    with psycopg.connect(database.owner_url) as owner:
        table = sql.Identifier(revisions.VERSION_TABLE)
        owner.execute(sql.SQL("CREATE TABLE {} (version_num varchar(32) PRIMARY KEY)").format(table))
        owner.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(table), [revision])


def copy_rows(source: Database, target: Database, tables: Iterable[str]) -> None:
    """Bring rows into tables that have fewer columns, in the order in which they were inserted."""
    with psycopg.connect(source.owner_url) as giving, psycopg.connect(target.owner_url) as taking:
        for table in tables:
            query = """SELECT attname FROM pg_attribute
                       WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id'"""
            columns = [sql.Identifier(name) for (name,) in taking.execute(query, [table])]
            parts = {
                "table": sql.Identifier(table),
                "columns": sql.SQL(", ").join(columns),
                "values": sql.SQL(", ").join(sql.Placeholder() * len(columns)),
            }
            rows = giving.execute(sql.SQL("SELECT {columns} FROM {table} ORDER BY id").format(**parts)).fetchall()
            insert = sql.SQL("INSERT INTO {table} ({columns}) VALUES ({values})").format(**parts)
            taking.cursor().executemany(insert, rows)
