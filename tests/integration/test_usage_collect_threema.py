"""Messages from a Threema relay that is played by a server of its own: whole local days, and what it counts anew."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from pieced_billing.calendar import DEFAULT_ZONE
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.store.connections import Connection, connect
from pieced_billing.usage.collect import Collected, collect
from pieced_billing.usage.json_api import JsonApi
from pieced_billing.usage.threema_relay import ThreemaMessages, recorded_days
from tests.commands import run_pieced
from tests.databases import Database
from tests.json_server import Answer, serving

TOKEN = "relay-s3cr3t"
FIRST = datetime(2026, 2, 28, 23, tzinfo=UTC)  # of March, in Zurich
CREATED = b"""
{"kind": "created", "uid": "u1", "tenant": "acme", "org": "1", "at": "2026-03-01T00:00:00+01:00"}
{"kind": "created", "uid": "u2", "tenant": "bolt", "org": "2", "at": "2026-03-01T00:00:00+01:00"}
"""


@dataclass
class Relay:
    """What the relay counted, by tenant and local day of its zone."""

    url: str = ""
    zone: str = "Europe/Zurich"
    counted: dict[str, dict[str, int]] = field(default_factory=lambda: {"acme": {}})

    def answer(self, path: str, query: dict[str, str], authorization: str | None) -> Answer:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"error": "unauthorized"}
        if path != "/admin/usage" or query["tenant"] not in self.counted:
            return 404, {"error": "not found"}
        first, last = date.fromisoformat(query["from"]), date.fromisoformat(query["to"])
        days = [
            {"day": day, "messages": messages}
            for day, messages in self.counted[query["tenant"]].items()
            if first <= date.fromisoformat(day) <= last
        ]
        return 200, {"tenant": query["tenant"], "zone": self.zone, "days": days}


@pytest.fixture
def relay() -> Iterator[Relay]:
    played = Relay()
    with serving(played.answer) as played.url:
        yield played


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        with opened.transaction():
            import_lines(opened, io.BytesIO(CREATED))
        yield opened


def gather(connection: Connection, relay: Relay, before: datetime) -> Collected:
    connection.rollback()
    api = JsonApi("The Threema relay", relay.url, TOKEN)
    try:
        source = ThreemaMessages(api, DEFAULT_ZONE, partial(recorded_days, connection, DEFAULT_ZONE))
        return collect(connection, source, FIRST, before)
    finally:
        api.close()


def recorded(connection: Connection) -> list[tuple[str, Decimal, str | None]]:
    query = "SELECT usage_id, quantity, corrects FROM usage_records ORDER BY link"
    return connection.execute(query).fetchall()


def test_whole_days_once_and_then_what_is_counted_anew(connection: Connection, relay: Relay) -> None:
    relay.counted["acme"] = {"2026-03-02": 12, "2026-03-03": 0, "2026-03-04": 5}
    within_the_4th = datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert gather(connection, relay, within_the_4th).records == 1
    assert gather(connection, relay, within_the_4th).records == 0
    relay.counted["acme"] |= {"2026-03-02": 9, "2026-03-03": 4}
    again = gather(connection, relay, datetime(2026, 3, 4, 23, tzinfo=UTC))
    assert (again.tenants, again.records, again.failures) == (2, 3, [])
    assert recorded(connection) == [
        ("acme/2026-03-02", Decimal(12), None),
        ("acme/2026-03-02/2", Decimal(-3), "acme/2026-03-02"),
        ("acme/2026-03-03", Decimal(4), None),
        ("acme/2026-03-04", Decimal(5), None),
    ]


@pytest.mark.parametrize(
    ("zone", "counted", "reason"),
    [
        ("UTC", {}, "The Threema relay answers /admin/usage without days of Europe/Zurich"),
        ("Europe/Zurich", {"2026-03-02": -1}, "The Threema relay says that 2026-03-02 had -1 messages"),
    ],
)
def test_what_cannot_be_holds_the_tenant(
    connection: Connection, relay: Relay, zone: str, counted: dict[str, int], reason: str
) -> None:
    relay.zone, relay.counted["acme"] = zone, counted
    assert gather(connection, relay, datetime(2026, 4, 1, tzinfo=UTC)).failures == [("acme", reason)]
    row = connection.execute("SELECT failure, collected_until FROM usage_coverage WHERE tenant_uid = 'u1'").fetchone()
    assert row == (reason, None)


def test_a_source_that_was_never_collected_does_not_keep_the_relay_from_it(
    database: Database, connection: Connection, relay: Relay
) -> None:
    gather(connection, relay, datetime(2026, 3, 15, tzinfo=UTC))
    connection.close()
    relay.counted["acme"] = {"2026-03-31": 7}
    sources = {
        "PIECED_LITELLM_URL": relay.url,
        "PIECED_LITELLM_KEY": "sk-1",
        "PIECED_THREEMA_RELAY_URL": relay.url,
        "PIECED_THREEMA_RELAY_TOKEN": f"{TOKEN}\n",
    }
    done = run_pieced("usage", "collect", env=database.env() | sources, check=False)
    assert done.returncode == 1
    assert [line.split() for line in done.stdout.splitlines()[-2:]] == [
        ["litellm", "0", "0", "0", "1", "0"],
        ["threema-relay", "2", "1", "0", "0", "0"],
    ]
    reason = "Nothing was ever collected from litellm; say from which day on with --since."
    assert done.stderr == f"pieced: litellm, every tenant: {reason}\n"
