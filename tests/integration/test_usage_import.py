"""Usage from files into the ledger: known tenants, each record once, corrections, proof."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pieced_billing.ledger.import_ import Imported, ImportRefused, begin, import_lines
from pieced_billing.ledger.record_usage import record_usage
from pieced_billing.ledger.verify import verify
from pieced_billing.store.connections import Connection, connect
from pieced_billing.usage.import_ import import_usage, read_usage
from tests.commands import run_pieced
from tests.databases import Database

HEADER = "uid,meter,quantity,at,id,corrects"
CREATED = (
    b'{"kind": "created", "uid": "u1", "tenant": "acme", "org": "1", "at": "2026-03-01T09:00:00Z"}\n'
    b'{"kind": "created", "uid": "u2", "tenant": "bolt", "org": "2", "at": "2026-03-01T09:00:00Z"}\n'
)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        with opened.transaction():
            import_lines(opened, io.BytesIO(CREATED))
        yield opened


def bring(connection: Connection, *rows: str) -> Imported:
    with connection.transaction():
        return import_usage(connection, io.BytesIO("\n".join((HEADER, *rows)).encode()))


def reasons(connection: Connection, *rows: str) -> list[tuple[int, str]]:
    """Why nothing of these rows is imported, by line."""
    with pytest.raises(ImportRefused) as refused:
        bring(connection, *rows)
    return [(finding.line, finding.reason) for finding in refused.value.findings]


def bring_by_twos(connection: Connection, *rows: str) -> Imported:
    """Bring rows in batches of two lines, as a large file comes in batches of thousands."""
    with connection.transaction():
        now = begin(connection)
        return record_usage(connection, read_usage(io.BytesIO("\n".join((HEADER, *rows)).encode()), now), now, 2)


def reasons_by_twos(connection: Connection, *rows: str) -> list[tuple[int, str]]:
    with pytest.raises(ImportRefused) as refused:
        bring_by_twos(connection, *rows)
    assert recorded(connection) == []
    connection.rollback()
    return [(finding.line, finding.reason) for finding in refused.value.findings]


def spend(uid: str, usage_id: str, quantity: str = "1", corrects: str = "") -> str:
    return f"{uid},llm_spend,{quantity},2026-03-02T09:00:00Z,{usage_id},{corrects}"


def recorded(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT usage_id, quantity::text FROM usage_records ORDER BY usage_id").fetchall()


def test_each_record_once(connection: Connection) -> None:
    rows = ["u1,llm_spend,1.5,2026-03-02T09:00:00Z,a,", "u2,threema_messages,12,2026-03-02T09:00:00Z,b,"]
    assert bring(connection, *rows, rows[0]) == Imported(events=0, usage=2, tenants=2, repeats=1)
    assert bring(connection, *rows) == Imported(events=0, usage=0, tenants=2, repeats=2)
    assert recorded(connection) == [("a", "1.5"), ("b", "12")]


def test_usage_from_before_creation_and_of_a_tenant_that_ended_is_recorded(connection: Connection) -> None:
    with connection.transaction():
        deleted = b'{"kind": "deleted", "uid": "u1", "at": "2026-03-03T09:00:00Z"}'
        import_lines(connection, io.BytesIO(deleted))
    rows = ["u1,llm_spend,1,2026-02-01T09:00:00Z,a,", "u1,llm_spend,1,2026-03-09T09:00:00Z,b,"]
    assert bring(connection, *rows).usage == 2


def test_a_correction_names_usage_of_its_own_tenant_and_meter(connection: Connection) -> None:
    bring(connection, "u1,llm_spend,1.5,2026-03-02T09:00:00Z,a,")
    assert reasons(
        connection,
        "u2,llm_spend,-1,2026-03-02T09:00:00Z,b,a",
        "u1,threema_messages,-1,2026-03-02T09:00:00Z,c,a",
        "u1,llm_spend,-1,2026-03-02T09:00:00Z,d,nothing",
    ) == [
        (2, "corrects names a, which is usage of another UID"),
        (3, "corrects names a, which is usage of another meter"),
        (4, "corrects names nothing, which is the id of no other usage of source import"),
    ]
    assert bring(connection, "u1,llm_spend,-0.5,2026-03-02T09:00:00Z,b,a").usage == 1


def test_an_id_with_other_content_is_refused_with_what_differs(connection: Connection) -> None:
    bring(connection, "u1,llm_spend,1.50,2026-03-02T09:00:00Z,a,")
    row = "u2,threema_messages,2,2026-03-02T09:00:00.5Z,a,"
    differences = (
        "uid u1, not u2, meter llm_spend, not threema_messages, quantity 1.50, not 2, "
        "at 2026-03-02T09:00:00+00:00, not 2026-03-02T09:00:00.5+00:00"
    )
    assert bring(connection, "u1,llm_spend,1.5,2026-03-02T09:00:00Z,a,").repeats == 1
    assert reasons(connection, row) == [(2, f"usage a of source import is recorded with other content: {differences}")]
    assert reasons(connection, row.replace(",a,", ",b,"), "u1,llm_spend,1,2026-03-02T09:00:00Z,b,")[0][1].startswith(
        "usage b of source import is recorded with other content on line 2: uid u2, not u1"
    )


def test_a_file_is_judged_as_a_whole(connection: Connection) -> None:
    year = datetime.now(UTC).year + 1
    good = "u1,llm_spend,1.5,2026-03-02T09:00:00Z,a,"
    wrong = ("u1,llm_spend,1", f"u1,llm_spend,1,{year}-01-01T00:00:00Z,b,")
    assert [line for line, _ in reasons(connection, good, *wrong)] == [3, 4]
    assert reasons(connection, good, "u3,llm_spend,1,2026-03-02T09:00:00Z,b,") == [
        (3, "u3 is the UID of no tenant in the ledger")
    ]
    assert recorded(connection) == []


def test_many_batches_of_two_tenants_with_repeats_in_between(connection: Connection) -> None:
    bring(connection, spend("u2", "known"))
    ids = [f"{number:02}" for number in range(20)]
    rows = [spend("u2" if number % 3 else "u1", usage_id) for number, usage_id in enumerate(ids)]
    rows[8:8] = [rows[0], spend("u2", "known")]
    rows[15:15] = [rows[14]]
    assert bring_by_twos(connection, *rows) == Imported(events=0, usage=20, tenants=2, repeats=3)
    assert recorded(connection) == [*((usage_id, "1") for usage_id in ids), ("known", "1")]
    chains = connection.execute("SELECT length, rows FROM ledger_chains ORDER BY tenant_uid").fetchall()
    assert [(length, rows["usage_records"]) for length, rows in chains] == [(8, 7), (15, 14)]
    in_order = "SELECT usage_id FROM usage_records WHERE tenant_uid = 'u1' ORDER BY link"
    assert [usage_id for (usage_id,) in connection.execute(in_order)] == ids[::3]
    connection.rollback()
    assert bring_by_twos(connection, *rows) == Imported(events=0, usage=0, tenants=2, repeats=23)
    assert verify(connection).found == 0


def test_what_only_several_batches_show_is_refused(connection: Connection) -> None:
    four = [spend("u1", usage_id) for usage_id in "abcd"]
    assert reasons_by_twos(connection, *four, spend("u2", "a"), spend("u1", "e"), spend("u1", "b", "2")) == [
        (6, "usage a of source import is recorded with other content on an earlier line: uid u1, not u2"),
        (8, "usage b of source import is recorded with other content on an earlier line: quantity 1, not 2"),
    ]
    assert reasons_by_twos(connection, *four, spend("u3", "e"), *four, spend("u4", "f"), spend("u3", "g")) == [
        (6, "u3 is the UID of no tenant in the ledger"),
        (11, "u4 is the UID of no tenant in the ledger"),
    ]
    assert [line for line, _ in reasons_by_twos(connection, *four, "u1", *four, spend("u3", "e"), "u1")] == [6, 12]
    assert [line for line, _ in reasons_by_twos(connection, *four, spend("u1", "e", "-1", "f"))] == [6]


def test_a_correction_may_stand_batches_before_what_it_corrects(connection: Connection) -> None:
    rows = [spend("u1", "c", "-1", "a"), spend("u1", "b"), spend("u2", "d"), spend("u1", "b"), spend("u1", "a", "2")]
    assert bring_by_twos(connection, *rows) == Imported(events=0, usage=4, tenants=2, repeats=1)
    assert reasons(connection, spend("u1", "e", "-1", "e"))[0][1].startswith("corrects names e, which is the id of no")
    assert verify(connection).found == 0


def test_a_tenant_is_in_one_cluster(connection: Connection) -> None:
    with connection.transaction():
        import_lines(
            connection, io.BytesIO(CREATED.splitlines()[0].replace(b"u1", b"u3").replace(b"{", b'{"cluster":"a",'))
        )
    with pytest.raises(ImportRefused, match="line 2: u3 is in cluster a in the ledger"), connection.transaction():
        import_usage(connection, io.BytesIO(f"{HEADER},cluster\n{spend('u3', 'a')},b\n".encode()))
    bring(connection, spend("u3", "a"))
    assert connection.execute("SELECT cluster_id FROM usage_records").fetchall() == [("a",)]


def test_the_ledger_is_sound_and_the_tenants_are_as_before(connection: Connection) -> None:
    before = connection.execute("SELECT t.* FROM tenant_billing_lifecycle AS t ORDER BY id").fetchall()
    connection.rollback()
    bring(connection, "u1,llm_spend,1.5,2026-03-02T09:00:00Z,a,", "u1,llm_spend,2,2026-03-02T09:00:00Z,b,")
    bring(connection, "u1,llm_spend,3,2026-03-02T09:00:00Z,c,", "u2,llm_spend,3,2026-03-02T09:00:00Z,d,")
    assert connection.execute("SELECT t.* FROM tenant_billing_lifecycle AS t ORDER BY id").fetchall() == before
    connection.rollback()
    assert verify(connection).found == 0


def test_the_command_says_what_it_recorded(database: Database, connection: Connection) -> None:
    connection.close()
    line = '{"uid": "u1", "meter": "llm_spend", "quantity": "1.5", "at": "2026-03-02T09:00:00Z", "id": "a"}'
    done = run_pieced("usage", "import", "-", "-o", "json", env=database.env(), stdin=line)
    assert done.stdout == '{\n  "usage": 1,\n  "tenants": 1,\n  "repeats": 0\n}\n'
    wrong = run_pieced("usage", "import", "-", env=database.env(), stdin="hello\n", check=False)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("pieced: Nothing was imported; these lines cannot be:\n  line 1: names the columns")
