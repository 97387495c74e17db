"""A line of a bill: one kind of charge, one run of equal price and VAT rate, for one tenant UID."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from pieced_billing.calendar import DaySet, first_day, last_day
from pieced_billing.money import exact_product, exact_sum, round_half_away
from pieced_billing.rating.tariff import Run, Tariff
from pieced_billing.rating.tenant_month import TenantMonth

_COUNTS: Final = tuple(Decimal(count) for count in range(32))
"""Numbers of days as quantities."""


class Line(NamedTuple):
    """One line, as it stands on a draft and on an invoice.

    `service_from` and `service_to` are the first and last local date counted, inclusive (rule 13). `quantity` is in
    `unit` (day, message, CHF or once), `unit_price` and `amount` in CHF, `vat_rate` in percent. `days` are those of the
    month that the line bills; a credit note bills none.
    """

    tenant: str
    uid: str
    kind: str
    package: str | None
    service_from: date
    service_to: date
    quantity: Decimal
    unit: str
    unit_price: Decimal
    vat_rate: Decimal
    amount: Decimal
    days: DaySet


def line_once(tenant: TenantMonth, tariff: Tariff, kind: str, package: str | None, day: int, run: Run) -> Line:
    """A fee that is charged once, on the day with this index."""
    on = tariff.days.dates[day]
    amount = _amount_of_days(run.price, 1, 1)
    return Line(
        tenant.tenant,
        tenant.uid,
        kind,
        package,
        on,
        on,
        _COUNTS[1],
        "once",
        run.price,
        run.vat_rate,
        amount,
        1 << day,
    )


def line_of_days(
    tenant: TenantMonth, tariff: Tariff, kind: str, package: str | None, days: DaySet, run: Run, *, divisor: int = 1
) -> Line:
    """A price for each of the counted `days` of a run: price × days ÷ `divisor`, rounded once (rule 12)."""
    dates = tariff.days.dates
    count = days.bit_count()
    return Line(
        tenant.tenant,
        tenant.uid,
        kind,
        package,
        dates[first_day(days)],
        dates[last_day(days)],
        _COUNTS[count],
        "day",
        run.price,
        run.vat_rate,
        _amount_of_days(run.price, count, divisor),
        days,
    )


def line_of_usage(
    tenant: TenantMonth, tariff: Tariff, kind: str, used: Mapping[int, Decimal], unit: str, run: Run
) -> Line:
    """A price for the quantity used, by day index, on the days of a run (rule 10)."""
    dates = tariff.days.dates
    quantity = exact_sum(used.values(), Decimal(0))
    return Line(
        tenant.tenant,
        tenant.uid,
        kind,
        None,
        dates[min(used)],
        dates[max(used)],
        quantity,
        unit,
        run.price,
        run.vat_rate,
        round_half_away(exact_product(run.price, quantity)),
        sum(1 << day for day in used),
    )


@lru_cache(maxsize=10_000)
def _amount_of_days(price: Decimal, days: int, divisor: int) -> Decimal:
    """The same few prices and numbers of days return for every tenant."""
    return round_half_away(price * days, divisor)
