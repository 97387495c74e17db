"""Random histories cut into random files, with repeats: the ledger is what a naive reader makes of all lines."""

import io
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pieced_billing.ledger.export import export_lines
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.store.connections import Connection, connect
from tests.databases import DatabaseServers

START = datetime(2026, 3, 1, tzinfo=UTC)
SPELLINGS = ("{at:%Y-%m-%dT%H:%M:%S.%f}Z", "{at:%Y-%m-%dT%H:%M:%S.%f}+00:00", "{at:%Y-%m-%d %H:%M:%S.%f}z")

_names = itertools.count(1)

switches = st.tuples(
    st.sampled_from(["enabled p", "disabled p", "enabled q", "disabled q", "suspended", "resumed", "usage"]),
    st.integers(0, 2),  # which tenant
    st.integers(-2, 6),  # when: few instants, so that many are the same
    st.sampled_from(SPELLINGS),
)
histories = st.tuples(
    st.lists(switches, max_size=25),
    st.lists(st.integers(0, 40), max_size=10),  # repeats, by position
    st.lists(st.integers(0, 40), max_size=3),  # where a file ends
)


def lines(prefix: str, said: list[tuple[str, int, int, str]]) -> list[dict[str, Any]]:
    """The lines of a history: three tenants that are created, one of them deleted, and what is said of them."""
    entries: list[dict[str, Any]] = []
    for number in range(3):
        created: dict[str, Any] = {"kind": "created", "uid": f"{prefix}-{number}", "tenant": f"{prefix}-{number}"}
        entries.append(created | {"org": "1", "at": START.isoformat()})
    entries.append({"kind": "deleted", "uid": f"{prefix}-0", "at": (START + timedelta(hours=5)).isoformat()})
    for what, number, hour, spelling in said:
        kind, _, package = what.partition(" ")
        at = spelling.format(at=START + timedelta(hours=hour))
        entry: dict[str, Any] = {"kind": kind, "uid": f"{prefix}-{number}", "at": at}
        if kind == "usage":
            entry |= {"meter": "llm_spend", "quantity": "1.50", "id": f"{prefix}-{number}-{hour}"}
        entries.append(entry | ({"package": package} if package else {}))
    return entries


def identity(entry: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two lines the same, in a form of its own."""
    at = datetime.fromisoformat(entry["at"].upper())
    return entry["uid"], at, entry["kind"], entry.get("package", entry.get("id", ""))


def naive(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What is left of all lines: each once, by UID and instant, then in the order of first appearance, usage last."""
    first = list(dict.fromkeys(map(identity, entries)))
    return sorted(first, key=lambda one: (one[0], one[1], one[2] == "usage", first.index(one)))


@pytest.fixture(scope="module")
def connection(database_servers: DatabaseServers) -> Iterator[Connection]:
    """One database for all examples; each has tenants of its own."""
    with database_servers.migrated("pg18") as made, connect(made.url) as opened:
        yield opened


def bring(connection: Connection, entries: list[dict[str, Any]]) -> None:
    with connection.transaction():
        import_lines(connection, io.BytesIO(b"\n".join(map(orjson.dumps, entries))))


@given(histories)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_batching_with_any_repeats_gives_the_ledger_of_the_naive_reader(
    connection: Connection, history: tuple[list[tuple[str, int, int, str]], list[int], list[int]]
) -> None:
    said, repeats, ends = history
    prefix = f"example-{next(_names)}"
    entries = lines(prefix, said)
    for position in repeats:
        entries.append(entries[position % len(entries)])
    cuts = sorted({0, len(entries), *(4 + end % len(entries) for end in ends)})
    for start, end in itertools.pairwise(cuts):
        bring(connection, entries[start:end])
    with connection.transaction():
        exported = [orjson.loads(line) for line in export_lines(connection)]
    assert [identity(entry) for entry in exported if entry["uid"].startswith(f"{prefix}-")] == naive(entries)
