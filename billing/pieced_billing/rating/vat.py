"""Value added tax: the rate of a day of service, and the tax on a bill."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pieced_billing.money import exact_product, exact_sum, round_half_away
from pieced_billing.parties.terms import PartyTerms, VatPosture
from pieced_billing.prices.book import PriceBook
from pieced_billing.rating.lines import Line

_NO_VAT = Decimal(0)


class VatTotal(NamedTuple):
    """All lines of one rate (in percent): the sum of their net amounts and the tax on it, in CHF."""

    rate: Decimal
    net: Decimal
    amount: Decimal


def vat_rate_on(day: date, terms: PartyTerms, prices: PriceBook) -> Decimal:
    """The rate in percent that a customer pays for a service of this day (rule 14)."""
    return prices.vat_rate_on(day) if terms.posture_on(day) is VatPosture.STANDARD else _NO_VAT


def vat_totals(lines: Iterable[Line]) -> tuple[VatTotal, ...]:
    """The tax of each rate, computed once on the sum of its net amounts; ascending by rate (rule 15)."""
    nets: dict[Decimal, list[Decimal]] = {}
    for line in lines:
        nets.setdefault(line.vat_rate, []).append(line.amount)
    return tuple(_vat_total(rate, exact_sum(nets[rate])) for rate in sorted(nets))


def _vat_total(rate: Decimal, net: Decimal) -> VatTotal:
    return VatTotal(rate, net, round_half_away(exact_product(net, rate), 100))
