"""The stretches that an explanation tells of are those that the fold counts, in any history."""

import random
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pieced_billing.calendar import Month, MonthDays, from_microseconds
from pieced_billing.invoicing.explain_stretches import stretches, touched
from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.fold import fold
from pieced_billing.ledger.history import TenantHistory
from tests.engine import histories
from tests.property.histories import ORGS, random_case


def events_of(history: TenantHistory) -> list[Event]:
    def event(kind: Kind, at: datetime, seq: int, package: str | None = None) -> Event:
        return Event("", history.uid, history.tenant, "310001", seq, kind, package, at, None, None, Quality.EXACT,
                     "import", None, None)  # fmt: skip

    made = [event(Kind.CREATED, from_microseconds(history.created_at), 0)]
    for at, seq, kind, package in history.moments:
        made.append(event(Kind(kind), from_microseconds(at), seq, package or None))
    if history.deleted_at is not None:
        made.append(event(Kind.DELETED, from_microseconds(history.deleted_at), 10_000))
    return made


@given(st.integers(0, 2**32))
def test_the_stretches_are_those_of_the_fold(seed: int) -> None:
    case = random_case(random.Random(seed))
    days = MonthDays(Month.parse(case.question.month), ZoneInfo(case.question.zone))
    until = days.end if seed % 3 else (days.start + days.end) // 2
    for history in histories(case.books, ORGS[0]):
        timeline = fold(history.created_at, history.deleted_at, history.moments, days, until)
        found = stretches(events_of(history), until)
        assert touched(found.active, days) == timeline.active
        assert {package: touched(of, days) for package, of in found.billable.items()} == timeline.billable
        assert [stretch.start for stretch in found.active[:1]] == [
            at for at in [timeline.first_active_at] if at is not None
        ]
        assert {package: of[0].start for package, of in found.billable.items()} == timeline.first_billable_at
        ends = [stretch.ended_by for stretch in found.active]
        assert None not in ends[:-1], "only the last may go on"
