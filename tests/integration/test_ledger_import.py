"""Files into the ledger: all or nothing, repeats skipped, numbers of their own beside observations."""

import io
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from pieced_billing.ledger.import_ import Imported, ImportRefused, import_lines
from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database
from tests.ledger_files import Entry, at, bring, created, deleted, dump, enabled, spend
from tests.observations import first_version, kinds, next_version, recorded

pytestmark = pytest.mark.both_servers


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        yield opened


def test_events_and_usage_are_recorded_in_the_order_of_the_file(connection: Connection) -> None:
    imported = bring(connection, created(), enabled(3), spend("a"), at(2, kind="suspended"), deleted(9))
    assert imported == Imported(events=4, usage=1, tenants=1, repeats=0)
    assert [(event[0], event[1]) for event in recorded(connection)] == [
        (1, "created"),
        (2, "enabled"),
        (3, "suspended"),
        (4, "deleted"),
    ]
    usage = connection.execute(
        "SELECT source, usage_id, tenant_uid, meter, quantity::text FROM usage_records"
    ).fetchall()
    assert usage == [("import", "a", "u1", "llm_spend", "1.5")]


def test_a_line_may_stand_before_the_creation_of_its_tenant(connection: Connection) -> None:
    bring(connection, spend("a"), deleted(9), enabled(3), created())
    assert kinds(connection) == ["deleted", "enabled", "created"]


def test_an_empty_file_and_blank_lines_are_nothing(connection: Connection) -> None:
    for nothing in (b"", b"\n \r\n\n"):
        with connection.transaction():
            assert import_lines(connection, io.BytesIO(nothing)) == Imported(0, 0, 0, 0)


def test_optional_fields_are_kept(connection: Connection) -> None:
    known: Entry = {
        "source": "portal",
        "cluster": "c",
        "not_before": "2026-03-01T08:00:00Z",
        "not_after": "2026-03-01T10:00:00Z",
        "quality": "bounded",
        "generation": 7,
        "manager": "kubectl",
    }
    entries = [created(**known), enabled(1, **known), at(2, kind="suspended", **known)]
    bring(connection, *entries)
    assert [orjson.loads(line) | {"at": None} for line in dump(connection)] == [
        entry | {"at": None} for entry in entries
    ]


def test_a_line_takes_the_cluster_of_its_tenant(connection: Connection) -> None:
    bring(connection, enabled(1), created(cluster="c"), spend("a"))
    clusters = connection.execute(
        """SELECT cluster_id FROM tenant_skill_events UNION ALL SELECT cluster_id FROM usage_records
           UNION ALL SELECT cluster_id FROM tenant_billing_lifecycle"""
    ).fetchall()
    assert clusters == [("c",)] * 3


class TestRepeats:
    """What was there before is skipped, and the first decides the order."""

    LINES = (created(), enabled(1), at(2, kind="suspended"), spend("a"), at(3, kind="resumed"), deleted(9))

    def test_the_same_file_again_adds_nothing(self, connection: Connection) -> None:
        bring(connection, *self.LINES)
        before = dump(connection)
        assert bring(connection, *self.LINES) == Imported(0, 0, 1, 6)
        assert dump(connection) == before

    def test_every_line_twice_in_one_file_is_once(self, connection: Connection) -> None:
        twice = list(itertools.chain.from_iterable(zip(self.LINES, self.LINES, strict=True)))
        assert bring(connection, *twice) == Imported(5, 1, 1, 6)
        assert kinds(connection) == ["created", "enabled", "suspended", "resumed", "deleted"]

    def test_an_instant_is_known_by_its_value_not_its_spelling(self, connection: Connection) -> None:
        bring(connection, created(), enabled(0, at="2026-03-01T09:00:00.5Z"))
        again = enabled(0, at="2026-03-01T10:00:00.500000+01:00")
        assert bring(connection, created(at="2026-02-28T23:00:00-10:00"), again).repeats == 2

    def test_the_first_decides_the_order(self, connection: Connection) -> None:
        disabled = at(1, kind="disabled", package="p")
        bring(connection, created(), disabled, enabled(1), disabled)
        assert kinds(connection) == ["created", "disabled", "enabled"]
        row = connection.execute("SELECT packages FROM tenant_billing_lifecycle").fetchone()
        assert row == (["p"],)

    def test_numbers_go_on_after_those_of_the_ledger_without_holes(self, connection: Connection) -> None:
        bring(connection, created(), enabled(1))
        bring(connection, enabled(5), enabled(1), at(6, kind="suspended"), enabled(5), created())
        assert kinds(connection) == ["created", "enabled", "enabled", "suspended"]

    def test_usage_of_equal_value_is_the_same(self, connection: Connection) -> None:
        bring(connection, created(), spend("a", "1.50"))
        assert bring(connection, spend("a", "1.5")).repeats == 1

    def test_usage_of_another_source_may_have_the_same_id(self, connection: Connection) -> None:
        assert bring(connection, created(), spend("a"), spend("a", "7", source="relay")).usage == 2

    def test_the_same_switch_of_another_kind_or_package_is_another_event(self, connection: Connection) -> None:
        lines = [enabled(1), enabled(1, "q"), at(1, kind="disabled", package="p"), at(1, kind="suspended")]
        assert bring(connection, created(), *lines, at(1, kind="resumed")).events == 6


class TestHugeLines:
    """A file that is no text is refused without reading a line of it into memory."""

    def test_a_line_of_many_megabytes(self, connection: Connection) -> None:
        with pytest.raises(ImportRefused, match="line 1: is not JSON"):
            import_lines(connection, io.BytesIO(b'{"kind": "' + b"x" * 5_000_000 + b'"}\n'))

    def test_the_line_after_it_has_its_number(self, connection: Connection) -> None:
        with pytest.raises(ImportRefused) as refused:
            import_lines(connection, io.BytesIO(b"x" * (1 << 20) + b"\n[]\n" + b"y" * (3 << 20) + b"\n{}"))
        assert [finding.line for finding in refused.value.findings] == [1, 2, 3, 4]


def test_parallel_imports_and_observations_number_a_tenant_once(database: Database) -> None:
    """Both write to the same tenants at once; each event has a number of its own, without holes."""
    start = threading.Barrier(4)

    def by_file(worker: int) -> None:
        with connect(database.url) as connection:
            start.wait()
            for number in range(10):
                bring(connection, enabled(number, f"file-{worker}"), created())

    def by_watch(worker: int) -> None:
        with connect(database.url) as connection:
            start.wait()
            for number in range(40):
                suspended = (number + worker) % 2 == 0
                observe(connection, next_version(first_version(suspended=suspended), minutes=60 + number))

    with connect(database.url) as connection:
        bring(connection, created())
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(by_file, 1), pool.submit(by_file, 2), pool.submit(by_watch, 1), pool.submit(by_watch, 2)]
        for future in running:
            future.result()
    with connect(database.url) as connection:
        found = kinds(connection)
        assert found.count("enabled") == 20
        assert found.count("created") == 1
