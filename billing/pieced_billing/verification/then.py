"""What a bill knew when it was made: how far each tenant's chain, and which versions of prices and terms."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month, MonthDays
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.invoicing.proof import KnownVersions
from pieced_billing.verification.documents import Document, Then
from pieced_billing.verification.tenant_facts import TenantFacts
from pieced_billing.verification.versions_then import PricesThen, TermsThen

_MONTHS: Final = 64
"""So many months are kept at once; bills of one run have the same."""


KnownIssuers: TypeAlias = Callable[[int], KnownVersions]
"""The versions of issuing entities up to an id."""


class Months:
    """The months of bills, with the prices and settings that they were made by."""

    def __init__(self, prices: PricesThen, known_issuers: KnownIssuers) -> None:
        self.prices = prices
        self.known_issuers = lru_cache(_MONTHS)(known_issuers)
        self.month = lru_cache(_MONTHS)(self._month)

    def then(self, month: Month, then: Then) -> BillingMonth:
        """A month as it was billed then."""
        return self.month(month, then.zone, then.billing_start, then.prices)

    def _month(self, month: Month, zone: str, billing_start: date | None, prices: int) -> BillingMonth:
        return BillingMonth(MonthDays(month, ZoneInfo(zone)), self.prices.book(prices), billing_start)


class Settings(NamedTuple):
    """The settings of now, for bills that do not say which they were made by."""

    zone: str
    billing_start: date | None


def then_of(
    document: Document, settings: Settings, prices: PricesThen, terms: TermsThen, facts: Mapping[str, TenantFacts]
) -> Then:
    """What a bill says that it knew; of one that does not say so, what was recorded until it was issued."""
    if document.stands_on is not None:
        return document.stands_on
    at = document.finalised_at
    recorded = at.isoformat().removesuffix("+00:00")
    links = {uid: one.known_at(recorded) for uid, one in facts.items()}
    return Then(*settings, prices.last_at(at), terms.last_at(at), links)
