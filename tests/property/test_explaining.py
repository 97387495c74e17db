"""An explanation counts what a bill counts, in any history: its stretches, its lines, each day once."""

import random
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pieced_billing.calendar import Month, MonthDays
from pieced_billing.explaining.line import explain_line
from pieced_billing.explaining.stretches import stretches, touched
from pieced_billing.ledger.fold import fold
from pieced_billing.rating.charges import rate
from pieced_billing.rating.tenant_month import tenant_month
from tests.engine import histories
from tests.evidence import events_of, evidence_of
from tests.property.histories import ORGS, random_case


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


@given(st.integers(0, 2**32))
def test_a_line_is_worked_out_again_and_each_day_of_the_month_has_one_reason(seed: int) -> None:
    case = random_case(random.Random(seed))
    for history, evidence in evidence_of(case.books, case.question):
        month = evidence.month
        lines = rate(tenant_month(history, month.days, month.until, month.billed), month.tariff(evidence.terms))
        assert evidence.lines == lines
        for line in lines:
            explained = explain_line(line, evidence)
            told = [*explained.days, *(day for days in explained.other_days.values() for day in days)]
            assert sorted(told) == list(month.days.dates)
            assert explained.events or explained.usage, "something made it due"
