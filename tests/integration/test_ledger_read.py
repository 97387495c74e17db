"""What the ledger gives to drafts: every organisation, what its bill of the month depends on, and nothing else."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from pieced_billing.calendar import DEFAULT_ZONE, Month, MonthDays, from_microseconds, to_microseconds
from pieced_billing.ledger import read
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.ledger.read import histories
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database

pytestmark = pytest.mark.both_servers

MARCH = MonthDays(Month.parse("2026-03"), DEFAULT_ZONE)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        yield opened


def bring(connection: Connection, *entries: dict[str, Any]) -> None:
    with connection.transaction():
        import_lines(connection, io.BytesIO(b"\n".join(orjson.dumps(entry) for entry in entries)))


def created(uid: str, org: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"kind": "created", "uid": uid, "tenant": f"name-{uid}", "org": org, "at": at}


def event(kind: str, uid: str, at: str, **fields: str) -> dict[str, Any]:
    return {"kind": kind, "uid": uid, "at": at} | fields


def spend(uid: str, usage_id: str, quantity: str, at: str, **fields: str) -> dict[str, Any]:
    return event("usage", uid, at, meter="llm_spend", quantity=quantity, id=usage_id, **fields)


def by_uid(connection: Connection, days: MonthDays = MARCH) -> dict[str, TenantHistory]:
    found = {history.uid: history for _, tenants in histories(connection, days, days.end) for history in tenants}
    connection.rollback()
    return found


def test_organisations_come_in_order_of_their_code_points_even_without_a_tenant_in_the_month(
    connection: Connection,
) -> None:
    orgs = ["310001", "Zürich", "arbon", "Äsch", "9", "10"]
    bring(connection, *(created(f"u{number}", org) for number, org in enumerate(orgs)))
    bring(connection, created("later", "unborn", "2026-04-01T12:00:00Z"))
    found = list(histories(connection, MARCH, MARCH.end))
    assert [org for org, _ in found] == sorted([*orgs, "unborn"])
    assert {org: len(tenants) for org, tenants in found} == dict.fromkeys(orgs, 1) | {"unborn": 0}


def test_only_the_organisations_asked_for(connection: Connection) -> None:
    bring(connection, created("u1", "1"), created("u2", "2"), created("u3", "3"))
    assert [org for org, _ in histories(connection, MARCH, MARCH.end, ["3", "nobody", "1"])] == ["1", "3"]
    assert list(histories(connection, MARCH, MARCH.end, [])) == []


@pytest.mark.parametrize("tenants_at_once", [1, 2, 3, 100])
def test_however_many_are_read_at_once_each_comes_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, tenants_at_once: int
) -> None:
    monkeypatch.setattr(read, "_BATCH_TENANTS", tenants_at_once)
    bring(connection, *(created(f"u{number}", str(number // 2)) for number in range(9)))
    found = []
    for org, tenants in histories(connection, MARCH, MARCH.end):
        connection.execute("SELECT 1")  # between two organisations the connection is free
        found += [(org, history.uid) for history in tenants]
    assert sorted(found) == [(str(number // 2), f"u{number}") for number in range(9)]


def test_a_history_has_every_moment_up_to_the_end_of_the_month(connection: Connection) -> None:
    bring(
        connection,
        created("u1", "1"),
        event("enabled", "u1", "2025-12-01T00:00:00Z", package="p"),
        event("suspended", "u1", "2026-03-31T21:59:59.999999Z"),
        event("resumed", "u1", "2026-03-31T22:00:00Z"),
        event("disabled", "u1", "2026-02-01T00:00:00.000001Z", package="p"),
        event("deleted", "u1", "2026-06-01T00:00:00Z"),
    )
    history = by_uid(connection)["u1"]
    assert (history.tenant, from_microseconds(history.created_at).isoformat()) == (
        "name-u1",
        "2026-01-01T00:00:00+00:00",
    )
    assert history.deleted_at is not None
    assert from_microseconds(history.deleted_at).isoformat() == "2026-06-01T00:00:00+00:00"
    moments = [(from_microseconds(at).isoformat(), seq, kind, package) for at, seq, kind, package in history.moments]
    assert sorted(moments) == [
        ("2025-12-01T00:00:00+00:00", 2, "enabled", "p"),
        ("2026-02-01T00:00:00.000001+00:00", 5, "disabled", "p"),
        ("2026-03-31T21:59:59.999999+00:00", 3, "suspended", ""),
    ]


def test_the_clock_may_be_stopped_within_the_month(connection: Connection) -> None:
    bring(
        connection,
        created("u1", "1"),
        created("u2", "1", "2026-03-10T12:00:00Z"),
        event("suspended", "u1", "2026-03-10T11:59:59.999999Z"),
        event("resumed", "u1", "2026-03-10T12:00:00Z"),
        spend("u1", "a", "1", "2026-03-10T11:59:59.999999Z"),
        spend("u1", "b", "1", "2026-03-10T12:00:00Z"),
    )
    until = to_microseconds(datetime(2026, 3, 10, 12, tzinfo=UTC))
    [(_, [history])] = histories(connection, MARCH, until)
    assert [kind for _, _, kind, _ in history.moments] == ["suspended"]
    assert [at for at, _, _ in history.usage] == [until - 1]


@pytest.mark.parametrize(
    ("deleted_at", "there"),
    [("2026-02-28T22:59:59.999999Z", False), ("2026-02-28T23:00:00Z", False), ("2026-02-28T23:00:00.000001Z", True)],
)
def test_a_tenant_that_ended_before_the_month_is_left_out(connection: Connection, deleted_at: str, there: bool) -> None:
    bring(connection, created("u1", "1"), event("deleted", "u1", deleted_at))
    assert ("u1" in by_uid(connection)) == there


@pytest.mark.parametrize("life", [("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), ("2026-04-05T00:00:00Z", None)])
def test_usage_brings_in_a_tenant_that_did_not_exist_in_the_month(
    connection: Connection, life: tuple[str, str | None]
) -> None:
    bring(connection, created("u1", "1", life[0]), spend("u1", "a", "2", "2026-03-02T00:00:00Z"))
    if life[1] is not None:
        bring(connection, event("deleted", "u1", life[1]))
    assert [quantity for _, _, quantity in by_uid(connection)["u1"].usage] == [Decimal(2)]


class TestUsage:
    """Usage is summed by local day before it leaves the database."""

    def sums(self, connection: Connection, days: MonthDays = MARCH) -> list[tuple[str, str, str]]:
        """(local date, meter, sum), in order."""
        history = by_uid(connection, days)["u1"]
        found = []
        for at, meter, quantity in history.usage:
            index = days.index(at)
            assert index is not None
            found.append((days.dates[index].isoformat(), meter, str(quantity)))
        return sorted(found)

    @pytest.mark.parametrize("zone", ["Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
    def test_days_are_cut_in_the_billing_zone_also_when_the_clock_changes(
        self, connection: Connection, zone: str
    ) -> None:
        days = MonthDays(Month.parse("2026-03"), ZoneInfo(zone))
        lines = [created("u1", "1")]
        for number, bound in enumerate(days.bounds):
            for offset in (-1, 0, 1):
                instant = from_microseconds(bound + offset).isoformat()
                lines.append(spend("u1", f"{number}/{offset}", "1", instant))
        bring(connection, *lines)
        assert self.sums(connection, days) == [(day.isoformat(), "llm_spend", "3") for day in days.dates]

    def test_the_limits_of_the_month_are_half_open(self, connection: Connection) -> None:
        bring(
            connection,
            created("u1", "1"),
            spend("u1", "before", "1", "2026-02-28T22:59:59.999999Z"),
            spend("u1", "first", "10", "2026-02-28T23:00:00Z"),
            spend("u1", "last", "100", "2026-03-31T21:59:59.999999Z"),
            spend("u1", "after", "1000", "2026-03-31T22:00:00Z"),
        )
        assert self.sums(connection) == [("2026-03-01", "llm_spend", "10"), ("2026-03-31", "llm_spend", "100")]

    def test_a_day_whose_records_cancel_each_other_is_still_a_day_of_usage(self, connection: Connection) -> None:
        bring(
            connection,
            created("u1", "1"),
            spend("u1", "a", "1.5", "2026-03-02T10:00:00Z"),
            spend("u1", "b", "-1.5", "2026-03-02T11:00:00Z", corrects="a"),
            spend("u1", "c", "0", "2026-03-03T10:00:00Z"),
        )
        assert self.sums(connection) == [("2026-03-02", "llm_spend", "-1.5"), ("2026-03-02", "llm_spend", "1.5")]

    def test_sums_are_exact_and_meters_apart(self, connection: Connection) -> None:
        small = "0.000000000000000001"
        lines = [spend("u1", f"s{number}", small, "2026-03-02T10:00:00Z") for number in range(7)]
        lines += [spend("u1", "large", "9" * 30, "2026-03-02T10:00:00Z")]
        messages = event("usage", "u1", "2026-03-02T10:00:00Z", meter="threema_messages", quantity="12", id="m")
        bring(connection, created("u1", "1"), *lines, messages)
        assert self.sums(connection) == [
            ("2026-03-02", "llm_spend", "9" * 30 + ".000000000000000007"),
            ("2026-03-02", "threema_messages", "12"),
        ]
