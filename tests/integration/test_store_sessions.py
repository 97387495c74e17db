"""A connection of ours works alike whatever the defaults of the role or the database are, or is an outage."""

import io
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from pieced_billing.errors import Unavailable
from pieced_billing.invoicing.load import drafts
from pieced_billing.ledger.export import export_lines
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.store.connections import connect
from tests.books import MARCH, organisation, run_invoices, set_organisations, set_prices
from tests.databases import Database
from tests.faults.database_proxy import database_proxy
from tests.faults.loop_thread import loop_thread

pytestmark = pytest.mark.both_servers

DEFAULTS = {
    "DateStyle": "German, DMY",
    "TimeZone": "Pacific/Kiritimati",
    "IntervalStyle": "sql_standard",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "serializable",
    "standard_conforming_strings": "off",
}
LEDGER = """{"kind":"created","uid":"u1","tenant":"acme","org":"€","at":"2026-03-01T09:00:00Z","source":"import"}
{"kind":"suspended","uid":"u1","at":"2026-03-02T00:00:00Z","source":"import"}
""".encode()


def test_a_ledger_is_imported_exported_and_billed_under_any_defaults(database: Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        for name, value in DEFAULTS.items():
            statement = sql.SQL("ALTER DATABASE {} SET {} TO {}")
            owner.execute(statement.format(sql.Identifier(database.name), sql.Identifier(name), value))
    with connect(database.url) as connection:
        connection.autocommit = True
        shown = {
            name: connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchall() for name in DEFAULTS
        }
        assert shown == {
            "DateStyle": [("ISO, YMD",)],
            "TimeZone": [("UTC",)],
            "IntervalStyle": [("postgres",)],
            "client_encoding": [("UTF8",)],
            "default_transaction_isolation": [("read committed",)],
            "standard_conforming_strings": [("on",)],
        }
        set_prices(connection)
        set_organisations(connection, organisation("€", **{"from": "2026-03-01"}))
        with connection.transaction():
            import_lines(connection, io.BytesIO(LEDGER))
            exported = [line.replace(b',"quality":"exact"', b"") for line in export_lines(connection)]
        assert b"".join(exported) == LEDGER
        (draft,) = drafts(connection, MARCH)
        assert (draft.org, len(draft.lines)) == ("€", 2)
        assert len(run_invoices(connection).numbers) == 1


def test_a_server_that_goes_while_a_session_is_set_up_is_away(database: Database) -> None:
    port = urlsplit(database.url).port
    assert port is not None
    with loop_thread() as loop, database_proxy(loop, port) as proxy:
        url = database.url.replace(f":{port}/", f":{proxy.port}/")
        connect(url).close()
        loop.run(proxy.cut_after_commits(1))
        with pytest.raises(Unavailable):
            connect(url)
        assert proxy.commits_cut == 1
