"""The threads that write to the ledger, on a database that keeps its connections and says nothing."""

import asyncio

import psycopg
import pytest

from pieced_billing.store.connections import connect
from pieced_operator import ledger_writer
from pieced_operator.backlog import Backlog
from pieced_operator.ledger_writer import LedgerWriter
from pieced_operator.outage import Outage
from tests.databases import Database
from tests.event_loops import run
from tests.observations import first_version, kinds


def test_a_database_that_is_silent_is_away_until_it_answers(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_writer, "_SILENT_SECONDS", 0.05)
    outage = Outage()
    outage.ended()

    async def write_behind_a_lock() -> None:
        backlog, written = Backlog(), asyncio.Event()
        writer = LedgerWriter(database.url, backlog, outage, lambda _: lambda: None, lambda *_: written.set())
        writing = asyncio.create_task(writer.run())
        with psycopg.connect(database.owner_url) as silent:
            silent.execute("LOCK TABLE tenant_billing_lifecycle")
            backlog.put(first_version())
            async with asyncio.timeout(60):
                while not outage.lasts(0.1):
                    await asyncio.sleep(0.02)
            assert not written.is_set()
        async with asyncio.timeout(60):
            await written.wait()
        assert not outage.lasts(0)
        writing.cancel()
        await asyncio.wait({writing})

    run(write_behind_a_lock())
    with connect(database.url) as connection:
        assert kinds(connection) == ["created"]
