"""The threads that write to the ledger: on a database that says nothing, and with long queues and a refused tenant."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from pieced_billing.ledger.observation import Observation
from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import connect
from pieced_operator import ledger_writer
from pieced_operator.backlog import Backlog
from pieced_operator.ledger_writer import LedgerWriter
from pieced_operator.outage import Outage
from tests.databases import Database
from tests.event_loops import run
from tests.observations import first_version, kinds, next_version


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


def toggled(uid: str, times: int) -> list[Observation]:
    """A tenant that is made, suspended, resumed, suspended and so on."""
    versions = [first_version(uid, uid)]
    for number in range(times):
        versions.append(next_version(versions[-1], suspended=number % 2 == 0))
    return versions


def test_long_queues_are_written_in_order_and_a_refused_tenant_holds_up_nobody(database: Database) -> None:
    lives = {"long": toggled("long", 35), "short": toggled("short", 1), "new": toggled("new", 12)}
    refused = replace(toggled("refused", 1)[1], cluster_id="elsewhere")
    told: list[str] = []

    async def write_until_only_the_refused_waits() -> None:
        backlog = Backlog()
        for seen in (*lives["long"], *lives["short"], *lives["new"], refused):
            backlog.put(seen)
        writer = LedgerWriter(
            database.url, backlog, Outage(), lambda _: lambda: None, lambda seen, _: told.append(seen.uid)
        )
        writing = asyncio.create_task(writer.run())
        async with asyncio.timeout(60):
            while backlog.uids() != {"refused"}:
                await asyncio.sleep(0.02)
        writing.cancel()
        await asyncio.wait({writing})

    with connect(database.url) as connection:
        for uid in ("long", "short", "refused"):
            observe(connection, first_version(uid, uid))
        run(write_until_only_the_refused_waits())
        switches = ["suspended", "resumed"]
        assert kinds(connection, "long") == ["created", *(switches * 18)[:35]]
        assert kinds(connection, "short") == ["created", "suspended"]
        assert kinds(connection, "new") == ["created", *switches * 6]
        assert kinds(connection, "refused") == ["created"]
    assert {uid: told.count(uid) for uid in lives} == {uid: len(versions) for uid, versions in lives.items()}
