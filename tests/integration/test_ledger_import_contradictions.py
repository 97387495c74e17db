"""What contradicts itself in a file, or the ledger, is refused with its line, and nothing of the file is imported."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pieced_billing.ledger.import_ import ImportRefused
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database
from tests.ledger_files import Entry, at, bring, created, deleted, dump, enabled, refusal, spend

pytestmark = pytest.mark.both_servers


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        yield opened


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
