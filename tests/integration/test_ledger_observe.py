"""Observations recorded in a real database: exactly once, under one lock, whatever dies or comes twice."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pieced_billing.errors import Unavailable
from pieced_billing.ledger.discontinuities import count, of_tenant
from pieced_billing.ledger.future import FromTheFuture
from pieced_billing.ledger.live import live_tenants
from pieced_billing.ledger.observation import Discontinuity, Observation, Reason
from pieced_billing.ledger.observe import observe, observe_missing
from pieced_billing.ledger.positions import position, save_position
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database
from tests.observations import NINE, first_version, kinds, next_version, recorded

pytestmark = pytest.mark.both_servers


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        yield opened


def test_a_life_is_recorded_event_by_event(connection: Connection) -> None:
    made = first_version(packages=frozenset({"searxng"}))
    suspended = next_version(made, suspended=True)
    resumed = next_version(suspended, suspended=False, packages=frozenset({"threema"}))
    deleted = next_version(resumed, deleted_at=resumed.written_at + timedelta(minutes=1))
    for version in (made, suspended, resumed, deleted):
        observe(connection, version)
        assert observe(connection, version) == []
    minute = timedelta(minutes=1)
    tick = timedelta(microseconds=1)
    assert recorded(connection) == [
        (1, "created", "", NINE, "exact"),
        (2, "enabled", "searxng", NINE + tick, "exact"),
        (3, "suspended", "", NINE + minute, "exact"),
        (4, "resumed", "", NINE + 2 * minute, "exact"),
        (5, "disabled", "searxng", NINE + 2 * minute + tick, "exact"),
        (6, "enabled", "threema", NINE + 2 * minute + 2 * tick, "exact"),
        (7, "deleted", "", NINE + 3 * minute, "exact"),
    ]


def test_what_is_returned_is_what_is_recorded(connection: Connection) -> None:
    events = observe(connection, first_version(packages=frozenset({"a", "b"})))
    assert recorded(connection) == [
        (event.seq, event.kind, event.package or "", event.occurred_at, event.quality) for event in events
    ]


def test_the_row_is_the_projection_of_the_events(connection: Connection) -> None:
    made = first_version(packages=frozenset({"b", "a"}), suspended=True)
    observe(connection, made)
    row = connection.execute(
        """SELECT cluster_id, tenant_name, zitadel_org_id, created_at, deleted_at, generation, last_seq, suspended,
                  packages
           FROM tenant_billing_lifecycle"""
    ).fetchone()
    assert row == ("cluster", "acme", "310001", NINE, None, 1, 4, True, ["a", "b"])


def test_a_tenant_without_organisation_leaves_no_row(connection: Connection) -> None:
    assert observe(connection, first_version(org="")) == []
    assert connection.execute("SELECT count(*) FROM tenant_billing_lifecycle").fetchone() == (0,)


def test_a_name_used_again_begins_after_its_predecessor_ended(connection: Connection) -> None:
    made = first_version("u1")
    observe(connection, next_version(made, minutes=0, deleted_at=NINE))
    observe(connection, first_version("u2"))
    assert [event[3] for event in recorded(connection, "u1")] == [NINE, NINE + timedelta(microseconds=1)]
    assert [event[3] for event in recorded(connection, "u2")] == [NINE + timedelta(microseconds=1)]


def test_a_name_used_again_before_its_predecessors_end_is_known_does_not_overlap_it(connection: Connection) -> None:
    made = first_version("u1")
    observe(connection, made)
    observe(connection, first_version("u2", created_at=NINE + timedelta(hours=1)))
    observe(connection, replace(made, gone=True, written_at=NINE + timedelta(hours=1)))
    ended = recorded(connection, "u1")[-1][3]
    assert ended <= recorded(connection, "u2")[0][3]


class TestStaleVersions:
    """A version older than the ledger is looked up again while the row is locked."""

    def latest(self, connection: Connection) -> Observation:
        version = first_version()
        for suspended in (True, False, True):
            version = next_version(version, suspended=suspended)
            observe(connection, version)
        return version

    def test_a_stale_copy_is_dropped_when_the_server_has_a_newer_one(self, connection: Connection) -> None:
        latest = self.latest(connection)
        before = recorded(connection)
        assert observe(connection, first_version(), lambda: latest) == []
        assert observe(connection, first_version(), lambda: None) == []
        assert observe(connection, first_version()) == []
        assert recorded(connection) == before

    def test_what_the_server_has_now_is_left_to_come_in_its_order(self, connection: Connection) -> None:
        """Two operators at work: jumping ahead would lose what the other has yet to deliver in between."""
        latest = self.latest(connection)
        resumed = next_version(latest, suspended=False)
        suspended = next_version(resumed, suspended=True)
        assert observe(connection, first_version(), lambda: suspended) == []
        told = [event.kind for version in (resumed, suspended) for event in observe(connection, version)]
        assert told == ["resumed", "suspended"]

    def test_a_cluster_that_went_back_is_flagged(self, connection: Connection) -> None:
        self.latest(connection)
        restored = first_version(asked_at=NINE + timedelta(hours=1), seen_at=NINE + timedelta(hours=1))
        observe(connection, first_version(), lambda: restored)
        row = connection.execute("SELECT epoch, generation, gap, suspended FROM tenant_billing_lifecycle").fetchone()
        assert row == (1, 1, True, False)


class TestMissing:
    """A tenant that a sweep does not find any more."""

    def test_it_ends_when_it_was_last_confirmed(self, connection: Connection) -> None:
        observe(connection, first_version(asked_at=NINE + timedelta(minutes=30), seen_at=NINE + timedelta(minutes=30)))
        observe_missing(connection, "u1", NINE + timedelta(hours=2), "sweep")
        connection.rollback()
        ended = connection.execute(
            "SELECT occurred_at, not_before, not_after, quality, source FROM tenant_lifecycle_events WHERE seq = 2"
        ).fetchone()
        confirmed_at = NINE + timedelta(minutes=29, seconds=59)
        tick = timedelta(microseconds=1)
        assert ended == (confirmed_at + tick, confirmed_at, NINE + timedelta(hours=2), "inferred", "sweep")

    def test_again_or_unknown_adds_nothing(self, connection: Connection) -> None:
        observe(connection, first_version())
        observe_missing(connection, "u1", NINE + timedelta(hours=2), "sweep")
        assert observe_missing(connection, "u1", NINE + timedelta(hours=3), "sweep") == []
        assert observe_missing(connection, "nobody", NINE + timedelta(hours=3), "sweep") == []

    def test_live_tenants_are_those_not_deleted_of_this_cluster(self, connection: Connection) -> None:
        observe(connection, first_version("u1", "acme"))
        observe(connection, first_version("u2", "bolt"))
        observe(connection, first_version("u3", "other", cluster_id="elsewhere"))
        observe_missing(connection, "u2", NINE + timedelta(hours=2), "sweep")
        assert [
            (live.uid, live.tenant, live.org, live.confirmed_at) for live in live_tenants(connection, "cluster")
        ] == [("u1", "acme", "310001", NINE)]


def test_parallel_observers_of_the_same_versions_record_each_once(database: Database) -> None:
    versions = [first_version()]
    for number in range(20):
        versions.append(next_version(versions[-1], minutes=0, suspended=number % 2 == 0))
    start = threading.Barrier(6)

    def deliver(_: int) -> None:
        with connect(database.url) as connection:
            start.wait()
            for version in versions:
                observe(connection, version)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(deliver, range(6)))
    with connect(database.url) as connection:
        assert kinds(connection) == ["created", *["suspended", "resumed"] * 10]


def test_parallel_observers_of_two_uids_of_one_name_never_overlap_them(database: Database) -> None:
    """The last versions of one UID and the first of the next come at once, as by two workers of the operator."""
    rounds = 30
    start = threading.Barrier(2)
    first = [first_version(f"a{number}", f"name{number}") for number in range(rounds)]
    ends = [replace(seen, gone=True, written_at=NINE, seen_at=NINE + timedelta(hours=1)) for seen in first]
    nexts = [first_version(f"b{number}", f"name{number}") for number in range(rounds)]

    def deliver(versions: list[Observation]) -> None:
        with connect(database.url) as connection:
            for version in versions:
                start.wait()
                observe(connection, version)

    with connect(database.url) as connection:
        for version in first:
            observe(connection, version)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(deliver, [ends, nexts]))
    with connect(database.url) as connection:
        overlapping = connection.execute(
            """SELECT count(*) FROM tenant_billing_lifecycle AS one JOIN tenant_billing_lifecycle AS next
                   ON one.tenant_name = next.tenant_name AND one.tenant_uid LIKE 'a%' AND next.tenant_uid LIKE 'b%'
               WHERE one.deleted_at IS NULL OR next.created_at < one.deleted_at"""
        ).fetchone()
        assert overlapping == (0,)


def test_a_lost_connection_is_an_outage_and_the_same_call_succeeds_later(database: Database) -> None:
    seen = first_version()
    with connect(database.url) as other, connect(database.url) as connection:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s", [connection.info.backend_pid]
        )
        with pytest.raises(Unavailable):
            observe(connection, seen)
    with connect(database.url) as connection:
        observe(connection, seen)
        assert kinds(connection) == ["created"]


def seams(connection: Connection, uid: str) -> list[Discontinuity]:
    found = [one.seam for one in of_tenant(connection, uid)]
    connection.rollback()
    return found


class TestSeams:
    """What the ledger knows that it does not know."""

    def test_versions_that_were_not_seen_leave_a_gap(self, connection: Connection) -> None:
        made = first_version(resource_version=10)
        observe(connection, made)
        later = next_version(made, generation=4, suspended=True, resource_version=13)
        observe(connection, later)
        (gap,) = seams(connection, "u1")
        assert gap == Discontinuity(Reason.GAP, 0, 1, 4, None, NINE, later.seen_at, "watch")

    def test_a_cluster_that_went_back_and_was_changed_again_is_known_by_its_resource_versions(
        self, connection: Connection
    ) -> None:
        """The generation is as high as before the restore, and says another thing."""
        made = first_version(resource_version=10)
        suspended = next_version(made, suspended=True, resource_version=11)
        other = next_version(
            made, minutes=5, packages=frozenset({"a"}), resource_version=9, asked_at=NINE + timedelta(minutes=5)
        )
        for version in (made, suspended):
            observe(connection, version)
        assert [event.kind for event in observe(connection, other, lambda: other)] == ["resumed", "enabled"]
        (seam,) = seams(connection, "u1")
        assert (seam.reason, seam.epoch, seam.generation_before, seam.generation_after) == ("went_back", 1, 2, 2)
        assert observe(connection, other, lambda: other) == []
        assert len(seams(connection, "u1")) == 1

    def test_a_restored_tenant_is_linked_to_the_one_that_it_was(self, connection: Connection) -> None:
        observe(connection, first_version("u1"))
        observe(connection, first_version("u2", created_at=NINE + timedelta(days=1), restored_from="u1"))
        (seam,) = seams(connection, "u2")
        assert (seam.reason, seam.predecessor_uid) == ("restored", "u1")

    def test_a_tenant_that_exists_again_after_its_end_is_noted_once_and_not_billed(
        self, connection: Connection
    ) -> None:
        made = first_version(resource_version=10)
        deleted = next_version(made, deleted_at=NINE + timedelta(minutes=1), resource_version=11)
        observe(connection, made)
        observe(connection, deleted)
        back = replace(made, asked_at=NINE + timedelta(minutes=9), seen_at=NINE + timedelta(minutes=9))
        for _ in range(2):
            assert observe(connection, back, lambda: back) == []
        assert observe(connection, made, lambda: None) == []
        (seam,) = seams(connection, "u1")
        assert seam.reason == "returned"
        assert kinds(connection) == ["created", "deleted"]

    def test_they_are_counted_by_reason(self, connection: Connection) -> None:
        observe(connection, first_version(generation=3))
        assert count(connection, "cluster") == {"gap": 1, "went_back": 0, "restored": 0, "returned": 0}
        assert count(connection, "elsewhere") == {"gap": 0, "went_back": 0, "restored": 0, "returned": 0}


class TestPositions:
    """How far the watch of each cluster has come."""

    def test_each_cluster_has_its_own_and_it_may_go_back(self, connection: Connection) -> None:
        assert position(connection, "east") is None
        for cluster, version in (("east", 100), ("west", 7), ("east", 40)):
            save_position(connection, cluster, version)
        assert (position(connection, "east"), position(connection, "west")) == (40, 7)


def test_one_name_in_two_clusters_is_two_tenants(connection: Connection) -> None:
    for cluster in ("east", "west"):
        made = first_version(f"u-{cluster}", cluster_id=cluster)
        observe(connection, made)
        observe(connection, next_version(made, deleted_at=NINE + timedelta(minutes=1) if cluster == "east" else None))
    assert kinds(connection, "u-east") == ["created", "deleted"]
    assert kinds(connection, "u-west") == ["created"]
    assert [one.uid for one in live_tenants(connection, "west")] == ["u-west"]
    assert live_tenants(connection, "east") == []


def test_a_version_of_the_future_is_refused_until_its_time_has_come(connection: Connection) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    made = first_version()
    observe(connection, made)
    ahead = replace(next_version(made, suspended=True), written_at=tomorrow, suspend_changed_at=tomorrow)
    with pytest.raises(FromTheFuture):
        observe(connection, ahead)
    assert kinds(connection) == ["created"]
    observe(connection, next_version(made, suspended=True))
    assert kinds(connection) == ["created", "suspended"]
