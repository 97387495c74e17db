"""Usage of a made-up month: a file of records to import, and ten times as many that are there already."""

import random
from collections.abc import Sequence
from pathlib import Path

import orjson
import psycopg

from pieced_billing.ledger import record, staging
from pieced_billing.ledger.import_ import begin
from pieced_billing.store.connections import Connection, connect

IN_FILE = 10
"""So many records of the file are of each tenant."""
NIGHTS = 9
A_NIGHT = 10
"""So many times so many records of each tenant are recorded before, a few days of the month each time."""

_TENANTS = """
INSERT INTO incoming_tenants (number, rank, line, uid, cluster_id)
SELECT number, number, 0, tenant_uid, ''
FROM (SELECT row_number() OVER (ORDER BY tenant_uid COLLATE "C") - 1 AS number, tenant_uid
      FROM tenant_billing_lifecycle) AS tenant
"""
_RECORDS = """
INSERT INTO incoming_lines (line, tenant, kind, package, occurred_at, source, quantity, usage_id, quality)
SELECT number * %(a_night)s + entry, number, 'usage', CASE entry WHEN 0 THEN 'threema_messages' ELSE 'llm_spend' END,
       timestamptz '2026-03-01 12:00Z' + make_interval(days => (%(night)s * 3 + entry %% 3)::integer, secs => entry),
       'collected',
       CASE entry WHEN 0 THEN number %% 50 ELSE (number * 7919 + entry * 104729) %% 1000000 / 1000000.0 END,
       format('%%s-%%s-%%s', %(night)s, number, entry), 'exact'
FROM incoming_tenants CROSS JOIN generate_series(0, %(a_night)s - 1) AS entry
"""


def collect(url: str) -> None:
    """Record the usage of some nights as an import does, set by set, without reading a file."""
    for night in range(NIGHTS):
        with connect(url) as connection:
            begin(connection)
            staging.create(connection)
            connection.execute(_TENANTS)
            connection.execute(_RECORDS, {"night": night, "a_night": A_NIGHT})
            _record(connection)


def _record(connection: Connection) -> None:
    connection.execute("ANALYZE incoming_tenants; ANALYZE incoming_lines")
    staging.meet_the_ledger(connection)
    record.record(connection)


def write_usage(file: Path, url: str) -> int:
    """Write records of the last days of the month, tenants in turns, as JSON Lines; returns how many."""
    choice = random.Random(20260331)
    uids = _uids(url)
    with file.open("wb") as out:
        for number in range(IN_FILE):
            for index, uid in enumerate(uids):
                meter = "llm_spend" if number else "threema_messages"
                entry = {
                    "uid": uid,
                    "meter": meter,
                    "quantity": f"{choice.random():.6f}" if number else str(choice.randrange(1, 50)),
                    "at": f"2026-03-{28 + number % 3}T{choice.randrange(24):02}:{choice.randrange(60):02}:00Z",
                    "id": f"{number}-{index:06}",
                    "source": "measured",
                }
                out.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
    return IN_FILE * len(uids)


def _uids(url: str) -> Sequence[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tenant_uid FROM tenant_billing_lifecycle ORDER BY id").fetchall()
    return [row[0] for row in rows]
