"""What of many tenants' observations is recorded in one transaction, and what is left for one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import IntegrityError

from pieced_billing.errors import Unavailable
from pieced_billing.ledger.observation import Observation
from pieced_billing.ledger.observe import observe, observe_missing
from pieced_billing.ledger.observe_together import observe_together
from pieced_billing.store.connections import Connection, connect, outages
from pieced_billing.store.messages import transaction_of_messages
from tests.apiserver import awaited
from tests.chained import verified
from tests.databases import Database
from tests.observations import NINE, first_version, kinds, next_version, recorded

TEN = NINE + timedelta(hours=1)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        yield opened


def life(uid: str) -> list[Observation]:
    """A tenant's versions: made, then two packages, suspended without them, and resumed with one."""
    made = first_version(uid, uid)
    both = next_version(made, packages=frozenset({"a", "b"}))
    suspended = next_version(both, packages=frozenset(), suspended=True)
    return [made, both, suspended, next_version(suspended, packages=frozenset({"a"}), suspended=False)]


def number_recorded(connection: Connection, *queues: Sequence[Observation]) -> list[int]:
    return [len(decisions) for decisions in observe_together(connection, queues)]


def test_changes_are_recorded_as_one_by_one_and_the_chains_hold(database: Database, connection: Connection) -> None:
    lives = [life(uid) for uid in ("u1", "u2", "u3")]
    for versions in lives:
        observe(connection, versions[0])
    for version in lives[0][1:]:
        observe(connection, version)
    decided = observe_together(connection, [versions[1:] for versions in lives[1:]])
    assert [[len(decision.events) for decision in decisions] for decisions in decided] == [[2, 3, 2], [2, 3, 2]]
    assert recorded(connection, "u2") == recorded(connection, "u3") == recorded(connection, "u1")
    rows = connection.execute(
        """SELECT count(*),
                  count(DISTINCT (generation, last_seq, last_event_at, confirmed_at, suspended, packages, gap))
           FROM tenant_billing_lifecycle"""
    ).fetchone()
    assert rows == (3, 1)
    connection.rollback()
    assert verified(database).found == 0


def test_the_unchanged_are_confirmed(connection: Connection) -> None:
    for uid in ("u1", "u2"):
        observe(connection, first_version(uid, uid))
    queues = [[first_version(uid, uid, asked_at=TEN, seen_at=TEN)] for uid in ("u1", "u2")]
    assert number_recorded(connection, *queues) == [1, 1]
    query = "SELECT DISTINCT confirmed_at, last_seq FROM tenant_billing_lifecycle"
    assert connection.execute(query).fetchall() == [(TEN - timedelta(seconds=1), 1)]


def test_what_was_recorded_is_nothing_the_second_time(connection: Connection) -> None:
    made, both, *_ = life("u1")
    observe(connection, made)
    assert number_recorded(connection, [both]) == number_recorded(connection, [both]) == [1]
    assert kinds(connection) == ["created", "enabled", "enabled"]
    assert observe_together(connection, []) == []


@pytest.mark.parametrize(
    "unusual",
    [
        pytest.param({"deleted_at": NINE + timedelta(minutes=2)}, id="end"),
        pytest.param({"gone": True}, id="gone"),
        pytest.param({"generation": 9}, id="gap"),
        pytest.param({"generation": 1}, id="older"),
        pytest.param({"cluster_id": "elsewhere"}, id="other cluster"),
        pytest.param({"written_at": datetime.now(UTC) + timedelta(days=1)}, id="future"),
    ],
)
def test_from_what_is_unusual_on_a_tenant_is_left_and_the_others_are_not(
    connection: Connection, unusual: dict[str, object]
) -> None:
    first, second = life("u1"), life("u2")
    observe(connection, first[0])
    observe(connection, second[0])
    odd = replace(first[2], **unusual)  # type: ignore[arg-type]
    assert number_recorded(connection, [first[1], odd, first[3]], second[1:]) == [1, 3]
    assert kinds(connection, "u1") == ["created", "enabled", "enabled"]
    assert len(kinds(connection, "u2")) == 8


def test_beginnings_and_what_comes_after_an_end_are_left(connection: Connection) -> None:
    observe(connection, first_version("u1", "a"))
    observe_missing(connection, "u1", TEN, "sweep")
    assert number_recorded(connection, [next_version(first_version("u1", "a"))], [first_version("u2", "b")]) == [0, 0]
    assert kinds(connection, "u2") == []


def test_a_tenant_that_somebody_else_works_on_is_left_without_a_wait(
    database: Database, connection: Connection
) -> None:
    lives = [life(uid) for uid in ("u1", "u2")]
    for versions in lives:
        observe(connection, versions[0])
    with connect(database.url) as other:
        other.execute("SELECT FROM tenant_billing_lifecycle WHERE tenant_uid = 'u1' FOR UPDATE")
        assert number_recorded(connection, *(versions[1:] for versions in lives)) == [0, 3]
    assert number_recorded(connection, lives[0][1:]) == [3]


def test_a_write_that_fails_is_undone_with_all_others_and_the_connection_goes_on(connection: Connection) -> None:
    lives = [life(uid) for uid in ("u1", "u2")]
    for versions in lives:
        observe(connection, versions[0])
    wrong = replace(lives[1][1], source="")
    queues = [lives[0][1:2], [wrong]]
    with pytest.raises(IntegrityError):
        observe_together(connection, queues)
    assert kinds(connection, "u1") == ["created"]
    assert number_recorded(connection, *(versions[1:] for versions in lives)) == [3, 3]


def test_an_outage_is_unavailable(database: Database, connection: Connection) -> None:
    made, *changes = life("u1")
    observe(connection, made)
    with connect(database.url) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(Unavailable):
        observe_together(connection, [changes])


def stay_in_a_transaction(connection: Connection, other: Connection) -> None:
    """Begin, and write only when the server has ended the session."""
    ended = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = %s"
    pid = connection.info.backend_pid
    with outages(), transaction_of_messages(connection) as message:
        message.execute("SELECT 1")
        assert message.send() == [[(1,)]]
        awaited(lambda: other.execute(ended, [pid]).fetchone(), lambda row: row == (True,))


def test_a_session_that_was_ended_because_its_process_was_frozen_is_an_outage(
    database: Database, connection: Connection
) -> None:
    connection.execute("SET idle_in_transaction_session_timeout TO '10ms'")
    connection.commit()
    with connect(database.url) as other:
        other.autocommit = True
        with pytest.raises(Unavailable, match="idle"):
            stay_in_a_transaction(connection, other)
    assert connection.closed


def test_a_connection_that_is_closed_is_an_outage(connection: Connection) -> None:
    connection.close()
    with pytest.raises(Unavailable):
        observe_together(connection, [[first_version()]])
