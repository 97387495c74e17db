"""What counts of one tenant UID in one month: days, setup days and usage, before any price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pieced_billing.calendar import DaySet, Microseconds, MonthDays
from pieced_billing.ledger.fold import fold
from pieced_billing.ledger.history import TenantHistory, UsageGap
from pieced_billing.money import exact_sum

_NO_USAGE: Mapping[int, Decimal] = {}


@dataclass(slots=True)
class TenantMonth:
    """One tenant UID in one month, cut down to the days that may be billed.

    Setup days are indices of days of this month, absent where the first day ever is another month's or before the
    billing start. `usage` has by meter and day the sum of the records other than 0; `gaps`
    say what is missing of it.
    """

    tenant: str
    uid: str
    active: DaySet
    billable: Mapping[str, DaySet]
    setup_day: int | None
    package_setup_days: Mapping[str, int]
    usage: Mapping[str, Mapping[int, Decimal]]
    used_outside_life: bool
    gaps: Sequence[UsageGap]

    def used(self, meter: str) -> Mapping[int, Decimal]:
        """The usage of a meter by day index."""
        return self.usage.get(meter, _NO_USAGE)


def tenant_month(history: TenantHistory, days: MonthDays, until: Microseconds, billed: DaySet) -> TenantMonth:
    """Fold a history up to `until` (exclusive) and keep what lies on the `billed` days (rules 3 to 5, 10, 16, 18)."""
    timeline = fold(history.created_at, history.deleted_at, history.moments, days, until)
    usage, used_outside_life = _usage(history, days, until, billed) if history.usage else ({}, False)
    package_setup_days = {}
    for package, first_at in timeline.first_billable_at.items():
        index = _billed_index(first_at, days, billed)
        if index is not None:
            package_setup_days[package] = index
    return TenantMonth(
        tenant=history.tenant,
        uid=history.uid,
        active=timeline.active & billed,
        billable={package: on & billed for package, on in sorted(timeline.billable.items()) if on & billed},
        setup_day=_billed_index(timeline.first_active_at, days, billed),
        package_setup_days=package_setup_days,
        usage=usage,
        used_outside_life=used_outside_life,
        gaps=history.gaps,
    )


def _billed_index(at: Microseconds | None, days: MonthDays, billed: DaySet) -> int | None:
    """The index of the day of an instant if it is a day that is billed."""
    index = None if at is None else days.index(at)
    return index if index is not None and billed >> index & 1 else None


def _usage(
    history: TenantHistory, days: MonthDays, until: Microseconds, billed: DaySet
) -> tuple[Mapping[str, Mapping[int, Decimal]], bool]:
    """Usage by meter and local day, and whether some of it happened while the tenant did not exist."""
    usage: dict[str, dict[int, Decimal]] = {}
    outside_life = False
    for at, meter, quantity in history.usage:
        index = _billed_index(at, days, billed) if at < until else None
        if index is None or not quantity:
            continue
        by_day = usage.setdefault(meter, {})
        before = by_day.get(index)
        by_day[index] = quantity if before is None else exact_sum((quantity,), before)
        if at < history.created_at or (history.deleted_at is not None and at >= history.deleted_at):
            outside_life = True
    return usage, outside_life
