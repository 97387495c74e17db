"""What the lines of one tenant UID and month are explained from, and the lines that it gives."""

from dataclasses import dataclass
from functools import cached_property

from pieced_billing.calendar import to_microseconds
from pieced_billing.explaining.facts import Known
from pieced_billing.explaining.prices import PriceRecords
from pieced_billing.explaining.stretches import Stretches, stretches
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.ledger.events import Kind, Moment
from pieced_billing.ledger.history import TenantHistory, Used
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.rating.charges import rate
from pieced_billing.rating.lines import Line
from pieced_billing.rating.tenant_month import tenant_month


@dataclass(frozen=True)
class Evidence:
    """Facts, prices and terms as they were known; `month` has the same prices."""

    month: BillingMonth
    known: Known
    prices: PriceRecords
    terms: PartyTerms

    @cached_property
    def found(self) -> Stretches:
        """The stretches of time that count."""
        return stretches([recorded.event for recorded in self.known.facts.events], self.month.until)

    @cached_property
    def lines(self) -> list[Line]:
        """The lines that it gives, by the rating that every bill is made by."""
        return _lines(self)


def _lines(evidence: Evidence) -> list[Line]:
    """The lines of a tenant UID and month from what was known, by the rating that every bill is made by."""
    found, month, row = evidence.found, evidence.month, evidence.known.life.row
    if found.created_at is None:
        return []
    dates, bounds = month.days.dates, month.days.bounds
    history = TenantHistory(
        row.uid,
        row.tenant,
        found.created_at,
        found.deleted_at,
        [
            Moment(to_microseconds(event.occurred_at), event.seq, str(event.kind), event.package or "")
            for event in (recorded.event for recorded in evidence.known.facts.events)
            if event.kind not in (Kind.CREATED, Kind.DELETED)
        ],
        [
            Used(bounds[dates.index(of.on)], of.meter, part)
            for of in evidence.known.facts.usage
            for part in (of.added, of.taken_back)
            if part
        ],
    )
    return rate(tenant_month(history, month.days, month.until, month.billed), month.tariff(evidence.terms))
