"""The month that is billed: its days, its prices, and from when to when it is billed."""

from datetime import date

from pieced_billing.calendar import Microseconds, MonthDays
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.prices.book import PriceBook
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.vat import vat_rate_on


class BillingMonth:
    """What the drafts of one month have in common. Build it once for all organisations: it keeps the tariffs.

    `billing_start` is the first day that is billed at all (rule 18). `as_of` stops the clock at an instant, which
    still counts (rule 16); without it, a month that is not over is drafted to its end.
    """

    def __init__(
        self,
        days: MonthDays,
        prices: PriceBook,
        billing_start: date | None = None,
        as_of: Microseconds | None = None,
    ) -> None:
        self.days = days
        self.prices = prices
        self.billed = days.every_day if billing_start is None else days.days_from(billing_start)
        self.until = days.end if as_of is None else min(days.end, as_of + 1)
        self._by_terms: dict[PartyTerms, Tariff] = {}
        self._by_rates: dict[tuple[object, ...], Tariff] = {}

    def tariff(self, terms: PartyTerms) -> Tariff:
        """The prices and VAT rates of this month for a customer with these terms."""
        tariff = self._by_terms.get(terms)
        if tariff is None:
            rates = tuple(vat_rate_on(day, terms, self.prices) for day in self.days.dates)
            tariff = self._by_rates.setdefault(rates, Tariff(self.days, self.prices, rates))
            self._by_terms[terms] = tariff
        return tariff
