"""The tariff: what each day of a month costs one customer, cut into runs of equal price and VAT rate (rule 11)."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from pieced_billing.calendar import DaySet, MonthDays
from pieced_billing.prices.book import PriceBook

_FACE_VALUE = Decimal("1.00")


class Run(NamedTuple):
    """Consecutive days of one price and one VAT rate, all of them, whether or not one of them is billed."""

    days: DaySet
    price: Decimal
    vat_rate: Decimal


class Rates:
    """One field of the price list over a month, cut into runs."""

    def __init__(self, prices: Sequence[Decimal | None], vat_rates: Sequence[Decimal]) -> None:
        """`prices` and `vat_rates` have one entry for each day of the month."""
        self.by_day: list[Run | None] = [None] * len(prices)
        runs = []
        by_day = enumerate(zip(prices, vat_rates, strict=True))
        for (price, vat_rate), stretch in groupby(by_day, key=lambda entry: entry[1]):
            indices = [index for index, _ in stretch]
            if price is not None:
                run = Run(sum(1 << index for index in indices), price, vat_rate)
                self.by_day[indices[0] : indices[-1] + 1] = [run] * len(indices)
                runs.append(run)
        self.runs: tuple[Run, ...] = tuple(runs)
        self.priced_days: DaySet = sum(run.days for run in runs)


class Tariff:
    """The prices and VAT rates of one month for customers whose VAT rates are the same on every day of it.

    The runs of a field are cut once, when first asked for, and then serve every tenant.
    """

    def __init__(self, days: MonthDays, prices: PriceBook, vat_rates: Sequence[Decimal]) -> None:
        """`vat_rates` has one rate in percent for each day of the month."""
        self.days = days
        self._prices = prices
        self._vat_rates = tuple(vat_rates)
        self._fields: dict[tuple[str, str | None], Rates] = {}
        self._face_value = Rates([_FACE_VALUE] * len(days.dates), self._vat_rates)

    def _rates(self, name: str, package: str | None) -> Rates:
        key = (name, package)
        rates = self._fields.get(key)
        if rates is None:
            versions = self._prices.versions(name, package)
            prices = [versions.on(day) for day in self.days.dates]
            rates = self._fields[key] = Rates(prices, self._vat_rates)
        return rates

    def runs(self, name: str, package: str | None = None) -> tuple[Run, ...]:
        """The runs of a field of the platform, or of a package; days without a price are in none of them."""
        return self._rates(name, package).runs

    def run_of(self, day: int, name: str, package: str | None = None) -> Run | None:
        """The run that a day lies in, or None where the field has no price on that day."""
        return self._rates(name, package).by_day[day]

    def priced_days(self, name: str, package: str | None = None) -> DaySet:
        """The days on which a field has a price, 0 included."""
        return self._rates(name, package).priced_days

    def runs_at_face_value(self) -> tuple[Run, ...]:
        """The runs of what is already an amount in francs: cut by VAT rate alone, unit price 1.00."""
        return self._face_value.runs
