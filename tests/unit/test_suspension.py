"""Since when a tenant is suspended, and when it is deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_operator.desired.suspension import Hold, Retention, retention, suspended_at
from tests.tenants import tenant

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
SIXTY_DAYS = timedelta(days=60)
RECORDED = {"suspendedAt": "2026-03-01T00:00:00Z", "observedGeneration": 4}


@pytest.mark.parametrize(
    ("generation", "status", "changed_at", "since"),
    [
        pytest.param(1, {}, MAY, MAY, id="first seen: the time of the write"),
        pytest.param(1, {}, None, NOW, id="first seen without a known write: now"),
        pytest.param(4, RECORDED, MAY, MARCH, id="the same version: what was recorded"),
        pytest.param(5, RECORDED, MAY, MARCH, id="the next version cannot have been resumed and suspended again"),
        pytest.param(6, RECORDED, MAY, MAY, id="a version was skipped that may have been a resume: the later time"),
        pytest.param(6, RECORDED, None, MARCH, id="a version was skipped and no time is known: what was recorded"),
        pytest.param(
            6, {"suspendedAt": "2026-05-20T00:00:00Z", "observedGeneration": 4}, MAY,
            datetime(2026, 5, 20, tzinfo=UTC), id="never earlier than what was recorded",
        ),
    ],
)  # fmt: skip
def test_suspended_at(generation: int, status: dict[str, object], changed_at: datetime | None, since: datetime) -> None:
    suspended = tenant(spec={"suspend": True}, generation=generation, status=status)
    assert suspended_at(suspended, changed_at, NOW) == since


def test_a_running_tenant_is_not_suspended_whatever_its_status_still_says() -> None:
    assert suspended_at(tenant(status=RECORDED), MAY, NOW) is None


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (MARCH + SIXTY_DAYS - timedelta(microseconds=1), False),
        (MARCH + SIXTY_DAYS, True),
        (MARCH + SIXTY_DAYS + timedelta(days=400), True),
    ],
)
def test_deletion_is_due_when_the_retention_is_over(now: datetime, due: bool) -> None:
    assert retention(tenant(spec={"suspend": True}), MARCH, SIXTY_DAYS).due(now) is due


@pytest.mark.parametrize(
    ("metadata", "hold"),
    [
        ({"annotations": {"pieced.ch/resume-requested-at": "2026-04-01T00:00:00Z"}}, Hold.RESUME_REQUESTED),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "tenants:pieced.ch/PiecedTenant:/acme"}}, Hold.ARGO_CD),
        ({"labels": {"app.kubernetes.io/instance": "tenants"}}, Hold.ARGO_CD),
    ],
)
def test_a_hold_keeps_the_tenant_for_as_long_as_it_stands(metadata: dict[str, Any], hold: Hold) -> None:
    held = retention(tenant(spec={"suspend": True}, **metadata), MARCH, SIXTY_DAYS)
    assert held.hold == hold
    assert not held.due(MARCH + timedelta(days=4000))


@pytest.mark.parametrize(
    ("before", "announced", "next_before"),
    [
        (timedelta(days=60), None, timedelta(days=14)),
        (timedelta(days=14, microseconds=1), None, timedelta(days=14)),
        (timedelta(days=14), 14, timedelta(days=7)),
        (timedelta(days=7, microseconds=1), 14, timedelta(days=7)),
        (timedelta(days=7), 7, timedelta(days=1)),
        (timedelta(days=1), 1, timedelta(0)),
        (timedelta(microseconds=1), 1, timedelta(0)),
    ],
)
def test_a_deletion_is_announced_14_and_7_days_and_1_day_before(
    before: timedelta, announced: int | None, next_before: timedelta
) -> None:
    free = Retention(MARCH, MAY, None)
    assert free.announced_days(MAY - before) == announced
    assert free.next_at(MAY - before) == MAY - next_before


@pytest.mark.parametrize("hold", list(Hold))
def test_what_is_held_is_not_announced(hold: Hold) -> None:
    held = Retention(MARCH, MAY, hold)
    assert held.announced_days(MAY - timedelta(hours=1)) is None
    assert held.next_at(MAY - timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("requested_at", "holds"),
    [
        ("2026-03-02T00:00:00Z", True),
        ("2026-02-28T12:00:00Z", True),
        ("2026-02-01T00:00:00Z", False),
        ("2026-02-01T00:00:00", True),
        ("yes", True),
    ],
)
def test_a_request_from_before_the_suspension_holds_nothing(requested_at: str, holds: bool) -> None:
    annotations = {"pieced.ch/resume-requested-at": requested_at}
    found = retention(tenant(spec={"suspend": True}, annotations=annotations), MARCH, SIXTY_DAYS)
    assert (found.hold is Hold.RESUME_REQUESTED) is holds


@pytest.mark.parametrize(
    ("rejected_at", "period", "due_at"),
    [
        (MARCH + timedelta(days=80), SIXTY_DAYS, MARCH + timedelta(days=94)),
        (MARCH + timedelta(days=10), SIXTY_DAYS, MARCH + SIXTY_DAYS),
        (MARCH + timedelta(days=10), timedelta(days=3), MARCH + timedelta(days=13)),
    ],
)
def test_a_rejected_request_leaves_time_for_every_announcement(
    rejected_at: datetime, period: timedelta, due_at: datetime
) -> None:
    annotations = {"pieced.ch/resume-rejected-at": rejected_at.isoformat()}
    assert retention(tenant(spec={"suspend": True}, annotations=annotations), MARCH, period).due_at == due_at
