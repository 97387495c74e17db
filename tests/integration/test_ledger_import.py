"""Files into the ledger: all or nothing, repeats skipped, contradictions found in the file and in the database."""

import io
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from pieced_billing.ledger.export import export_lines
from pieced_billing.ledger.import_ import Imported, ImportRefused, import_lines
from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database
from tests.observations import NINE, first_version, kinds, next_version, recorded

pytestmark = pytest.mark.both_servers

Entry = dict[str, Any]


def at(minutes: float, **fields: Any) -> Entry:
    """A line about u1 so many minutes after nine."""
    instant = NINE + timedelta(minutes=minutes)
    return {"uid": "u1", "at": instant.isoformat()} | fields


def created(minutes: float = 0, **fields: Any) -> Entry:
    return at(minutes, kind="created", tenant="acme", org="310001") | fields


def deleted(minutes: float, **fields: Any) -> Entry:
    return at(minutes, kind="deleted") | fields


def enabled(minutes: float, package: str = "p", **fields: Any) -> Entry:
    return at(minutes, kind="enabled", package=package) | fields


def spend(usage_id: str, quantity: str = "1.5", minutes: float = 1, **fields: Any) -> Entry:
    return at(minutes, kind="usage", meter="llm_spend", quantity=quantity, id=usage_id) | fields


def bring(connection: Connection, *entries: Entry) -> Imported:
    with connection.transaction():
        return import_lines(connection, io.BytesIO(b"\n".join(orjson.dumps(entry) for entry in entries)))


def refusal(connection: Connection, *entries: Entry) -> list[tuple[int, str]]:
    """The lines and reasons of an import that is refused; asserts that it left nothing."""
    before = dump(connection)
    with pytest.raises(ImportRefused) as refused:
        bring(connection, *entries)
    assert dump(connection) == before
    return [(finding.line, finding.reason) for finding in refused.value.findings]


def dump(connection: Connection) -> list[bytes]:
    with connection.transaction():
        return list(export_lines(connection))


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


class TestContradictions:
    """Each is found within a file and against the ledger, and nothing of the file is imported."""

    CASES = (
        ("created at another time", [created()], created(1), "is created differently"),
        ("created with another name", [created()], created(tenant="bolt"), "is created differently"),
        ("created for another organisation", [created()], created(org="9"), "is created differently"),
        ("deleted at another time", [created(), deleted(5)], deleted(6), "is deleted at another instant"),
        ("deleted when created", [created()], deleted(0), "but not after it is created"),
        ("deleted before created", [created()], deleted(-1), "but not after it is created"),
        ("in two clusters", [created(cluster="a")], enabled(1, cluster="b"), "is in cluster"),
        ("usage with another quantity", [created(), spend("a")], spend("a", "2"), "quantity 1.5, not 2"),
        ("usage at another time", [created(), spend("a")], spend("a", minutes=2), "is recorded with other content"),
        (
            "usage of another meter",
            [created(), spend("a", "2")],
            spend("a", "2", meter="threema_messages"),
            "is recorded with other content",
        ),
        (
            "usage that corrects something else",
            [created(), spend("x"), spend("a")],
            spend("a", corrects="x"),
            "is recorded with other content",
        ),
        (
            "usage of another tenant",
            [created(), spend("a"), created(uid="u2", tenant="bolt")],
            spend("a", uid="u2"),
            "is recorded with other content",
        ),
        ("a name in use", [created()], created(1, uid="u2"), "are both named acme and alive at once"),
        (
            "a name in use until later",
            [created(), deleted(5)],
            created(4, uid="u2"),
            "are both named acme and alive at once",
        ),
        (
            "a name that begins to be used",
            [created(5)],
            created(4, uid="u2"),
            "are both named acme and alive at once",
        ),
        ("a correction of nothing", [created(), spend("a")], spend("b", "-1", corrects="c"), "corrects names c"),
        (
            "a correction of another source",
            [created(), spend("a", source="relay")],
            spend("b", "-1", corrects="a"),
            "corrects names a",
        ),
        (
            "a correction of another tenant's usage",
            [created(), spend("a"), created(uid="u2", tenant="bolt")],
            spend("b", "-1", uid="u2", corrects="a"),
            "corrects names a, which is usage of another UID",
        ),
        (
            "a correction of another meter",
            [created(), spend("a", "2")],
            spend("b", "-1", meter="threema_messages", corrects="a"),
            "corrects names a, which is usage of another meter",
        ),
        ("a correction of itself", [created()], spend("b", "-1", corrects="b"), "corrects names b"),
    )

    @pytest.mark.parametrize(("first", "then", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_in_one_file(self, connection: Connection, first: list[Entry], then: Entry, reason: str) -> None:
        findings = refusal(connection, *first, then)
        assert len(findings) == 1
        assert reason in findings[0][1]
        assert 1 <= findings[0][0] <= len(first) + 1
        assert dump(connection) == []

    @pytest.mark.parametrize(("first", "then", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
    def test_against_the_ledger(self, connection: Connection, first: list[Entry], then: Entry, reason: str) -> None:
        bring(connection, *first)
        [(line, found)] = refusal(connection, then)
        assert line == 1
        assert reason in found

    @pytest.mark.parametrize("entry", [enabled(1), deleted(1), spend("a"), at(1, kind="resumed")])
    def test_a_uid_without_creation(self, connection: Connection, entry: Entry) -> None:
        [(line, reason)] = refusal(connection, created(uid="u2"), entry)
        assert line == 2
        assert reason == "u1 has no line of kind created, in the file or in the ledger"

    def test_what_is_not_a_contradiction(self, connection: Connection) -> None:
        lines = [enabled(-60), created(), enabled(0), enabled(1), at(2, kind="resumed"), deleted(5), enabled(9)]
        assert bring(connection, *lines, spend("a", minutes=-90), spend("b", minutes=90)).events == 7

    def test_a_name_used_again_at_the_instant_of_its_end(self, connection: Connection) -> None:
        assert bring(connection, created(), deleted(5), created(5, uid="u2")).events == 3

    def test_one_name_in_two_clusters(self, connection: Connection) -> None:
        assert bring(connection, created(cluster="a"), created(uid="u2", cluster="b")).events == 2

    def test_a_predecessor_that_the_ledger_has_may_end_in_the_file(self, connection: Connection) -> None:
        bring(connection, created())
        assert bring(connection, created(5, uid="u2"), deleted(5)).events == 2

    def test_a_correction_may_stand_before_what_it_corrects(self, connection: Connection) -> None:
        assert bring(connection, created(), spend("b", "-1", corrects="a"), spend("a")).usage == 2

    def test_every_line_is_reported_with_its_number(self, connection: Connection) -> None:
        findings = refusal(connection, created(), created(1), created(2), deleted(5), deleted(6), created(0))
        assert [line for line, _ in findings] == [2, 3, 5]

    def test_malformed_lines_are_reported_alone_and_together(self, connection: Connection) -> None:
        findings = refusal(connection, created(org=1), enabled(1), {"kind": "x"}, enabled(2, at="now"))
        assert [line for line, _ in findings] == [1, 3, 4]

    def test_of_very_many_only_the_number_is_reported(self, connection: Connection) -> None:
        with pytest.raises(ImportRefused) as refused:
            bring(connection, *[{"kind": "x"}] * 1234)
        lines = str(refused.value).splitlines()
        assert lines[0] == "Nothing was imported; these lines cannot be:"
        assert lines[-1] == "  and 1134 more"
        assert len(lines) == 102

    def test_an_instant_is_judged_by_the_databases_clock(self, connection: Connection) -> None:
        now = datetime.now(UTC)
        bring(connection, created(at=(now + timedelta(minutes=4)).isoformat()))
        [(line, reason)] = refusal(connection, enabled(0, at=(now + timedelta(minutes=6)).isoformat()))
        assert line == 1
        assert reason.endswith("more than 5 minutes in the future")


class TestHugeLines:
    """A file that is no text is refused without reading a line of it into memory."""

    def test_a_line_of_many_megabytes(self, connection: Connection) -> None:
        with pytest.raises(ImportRefused, match="line 1: is not JSON"):
            import_lines(connection, io.BytesIO(b'{"kind": "' + b"x" * 5_000_000 + b'"}\n'))

    def test_the_line_after_it_has_its_number(self, connection: Connection) -> None:
        with pytest.raises(ImportRefused) as refused:
            import_lines(connection, io.BytesIO(b"x" * (1 << 20) + b"\n[]\n" + b"y" * (3 << 20) + b"\n{}"))
        assert [finding.line for finding in refused.value.findings] == [1, 2, 3, 4]


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
