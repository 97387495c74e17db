"""What was imported, as observations go on from it and as it comes out again."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from pieced_billing.ledger.import_ import import_lines
from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database
from tests.ledger_files import at, bring, created, deleted, dump, enabled, spend
from tests.observations import NINE, first_version, kinds, next_version

pytestmark = pytest.mark.both_servers


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        yield opened


class TestProjection:
    """The row that observations compare with is the fold of all events, in the order of `occurred_at` and `seq`."""

    def row(self, connection: Connection) -> tuple[Any, ...]:
        found = connection.execute(
            "SELECT last_seq, last_event_at, packages, suspended, deleted_at FROM tenant_billing_lifecycle"
        ).fetchone()
        assert found is not None
        connection.rollback()
        return found

    def test_of_a_file_in_any_order(self, connection: Connection) -> None:
        lines = [at(9, kind="resumed"), at(5, kind="suspended"), enabled(3, "q"), enabled(4), created()]
        bring(connection, *lines, at(8, kind="disabled", package="p"))
        assert self.row(connection) == (6, NINE + timedelta(minutes=9), ["q"], False, None)

    def test_of_what_a_second_file_adds_earlier(self, connection: Connection) -> None:
        bring(connection, created(), at(8, kind="disabled", package="p"), enabled(9, "q"))
        bring(connection, enabled(3), at(4, kind="suspended"), deleted(20))
        end = NINE + timedelta(minutes=20)
        assert self.row(connection) == (6, end, ["q"], True, end)

    def test_usage_alone_leaves_it(self, connection: Connection) -> None:
        bring(connection, created(), enabled(1))
        before = self.row(connection)
        bring(connection, spend("a"))
        assert self.row(connection) == before

    def test_an_observation_goes_on_from_it(self, connection: Connection) -> None:
        bring(connection, created(), enabled(1), at(2, kind="suspended"))
        seen = first_version(packages=frozenset({"p", "q"}), suspended=True, generation=4)
        seen = next_version(seen, minutes=30)
        events = observe(connection, seen)
        assert [(event.seq, event.kind, event.package) for event in events] == [(4, "enabled", "q")]

    def test_of_what_was_observed(self, connection: Connection) -> None:
        made = first_version()
        observe(connection, next_version(made, packages=frozenset({"p"})))
        bring(connection, enabled(5, "q"), spend("a"))
        assert self.row(connection)[2] == ["p", "q"]
        observe(connection, next_version(next_version(made, packages=frozenset({"p", "q"})), minutes=30))
        assert kinds(connection) == ["created", "enabled", "enabled"]


class TestExport:
    """What was imported comes out again, in the one order that counts."""

    def test_by_uid_then_by_instant_then_by_number(self, connection: Connection) -> None:
        bring(
            connection,
            created(uid="ä", tenant="a"),
            created(uid="b", tenant="b"),
            created(uid="Z", tenant="c"),
            spend("2", uid="b", minutes=5),
            at(5, kind="suspended", uid="b"),
            at(5, kind="resumed", uid="b"),
            enabled(2, uid="b"),
            spend("1", uid="b", minutes=5),
        )
        lines = [orjson.loads(line) for line in dump(connection)]
        assert [(line["uid"], line["kind"], line.get("id")) for line in lines] == [
            ("Z", "created", None),
            ("b", "created", None),
            ("b", "enabled", None),
            ("b", "suspended", None),
            ("b", "resumed", None),
            ("b", "usage", "2"),
            ("b", "usage", "1"),
            ("ä", "created", None),
        ]

    def test_an_export_imported_into_an_empty_database_is_exported_the_same(
        self, connection: Connection, empty_twin: Connection
    ) -> None:
        made = first_version(packages=frozenset({"p"}))
        observe(connection, made)
        observe(connection, next_version(made, suspended=True, asked_at=NINE, suspend_changed_at=None))
        bring(connection, created(uid="u2", tenant="bolt", cluster="x"), deleted(3, uid="u2"), enabled(1, uid="u2"))
        bring(
            connection,
            spend("b", "-0.000000000000000001", corrects="a", minutes=0),
            spend("a", "12345678901234567890.1"),
        )
        exported = dump(connection)
        with empty_twin.transaction():
            import_lines(empty_twin, io.BytesIO(b"".join(exported)))
        assert dump(empty_twin) == exported

    def test_instants_are_utc_and_quantities_plain(self, connection: Connection) -> None:
        bring(connection, created(at="2026-03-01T10:00:00.120+01:00"), spend("a", "0.000000000000000001"))
        first, second = (orjson.loads(line) for line in dump(connection))
        assert first["at"] == "2026-03-01T09:00:00.120000Z"
        assert second["quantity"] == "0.000000000000000001"


@pytest.fixture
def empty_twin(database_servers: Any, server_name: str) -> Iterator[Connection]:
    """A second migrated database on the same server."""
    with database_servers.migrated(server_name) as made, connect(made.url) as opened:
        yield opened
