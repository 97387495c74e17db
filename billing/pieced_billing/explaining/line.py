"""One line and what it comes from: its days, its events or usage, its price and its VAT rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from pieced_billing.calendar import DaySet
from pieced_billing.explaining.arithmetic import Arithmetic, days_of_month, fee, product
from pieced_billing.explaining.days import Why, dates, idle_days, other_days
from pieced_billing.explaining.evidence import Evidence
from pieced_billing.explaining.facts import Facts, Subject, UsageRecord, UsedOn
from pieced_billing.explaining.prices import PriceRecord
from pieced_billing.explaining.stretches import Stretch, Stretches, touched
from pieced_billing.ledger.discontinuities import RecordedSeam
from pieced_billing.ledger.events import Meter
from pieced_billing.ledger.show import Recorded
from pieced_billing.parties.terms import VatPosture
from pieced_billing.prices import book
from pieced_billing.prices.versions import Versions
from pieced_billing.rating.lines import Line

LARGEST: Final = 3
"""So many of a line's usage records are named."""


class _Source(NamedTuple):
    """What a kind of charge is worked out from: its field of the price list, if any, and what it counts."""

    price: str | None
    counts: str
    once: bool = False
    prorated: bool = False


SOURCES: Final[Mapping[str, _Source]] = {
    "tenant_setup_fee": _Source(book.TENANT_SETUP_FEE, "active", once=True),
    "tenant_monthly_fee": _Source(book.TENANT_MONTHLY_FEE, "active", prorated=True),
    "package_setup_fee": _Source(book.PACKAGE_SETUP_FEE, "billable", once=True),
    "package_days": _Source(book.PACKAGE_DAILY_PRICE, "billable"),
    "llm_spend": _Source(None, Meter.LLM_SPEND),
    "threema_messages": _Source(book.THREEMA_MESSAGE, Meter.THREEMA_MESSAGES),
}
"""By kind of charge; a test holds it to the kinds that there are."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One line and what it comes from.

    `seams` are where something of it may have happened unseen; `later` is what came after the bill was made, and is not
    counted. `price` is the version that was in force, None for spend, which is billed at face value. `vat_rate` is the
    version of the rate, None where the statutory rate or no VAT is due.
    """

    line: Line
    arithmetic: Arithmetic
    days: tuple[date, ...]
    other_days: Mapping[Why, tuple[date, ...]]
    events: tuple[Recorded, ...]
    seams: tuple[RecordedSeam, ...]
    usage: tuple[UsedOn, ...]
    largest: tuple[UsageRecord, ...]
    later: Facts
    price: PriceRecord | None
    posture: VatPosture
    vat_rate: PriceRecord | None


def subject(kind: str, package: str | None, evidence: Evidence) -> Subject:
    """What decides about a kind of charge."""
    return Subject(SOURCES[kind].counts, package, evidence.month.days.end)


def explain_line(line: Line, evidence: Evidence) -> Explained:
    """What a line for service comes from; it need not be right."""
    month, known = evidence.month, evidence.known
    source, about = SOURCES[line.kind], subject(line.kind, line.package, evidence)
    facts = known.facts.about(about)
    counted = _counted(line, source, evidence.found)
    by_line = _on(counted, line.days, evidence)
    price = Versions[PriceRecord]() if source.price is None else evidence.prices.get((source.price, line.package))
    posture = evidence.terms.posture_on(line.service_from)
    vat_rates = evidence.prices.get((book.VAT_RATE, None)) if posture is VatPosture.STANDARD else None
    days = dates(month.days, line.days)
    used = tuple(of for of in facts.usage if of.on in days)
    largest = [of for of in known.largest if of.meter == source.counts and of.on in days]
    return Explained(
        line,
        _arithmetic(line, source, len(month.days.dates)),
        days,
        other_days(month.days, line.days, _reasons(line, source, counted, facts.usage, evidence)),
        events=_causes(by_line, source, facts),
        seams=facts.seams,
        usage=used,
        largest=tuple(sorted(largest, key=lambda of: (-abs(of.quantity), of.occurred_at, of.usage_id))[:LARGEST]),
        later=known.later.about(about),
        price=(price or Versions()).on(line.service_from),
        posture=posture,
        vat_rate=(vat_rates or Versions()).on(line.service_from),
    )


def _arithmetic(line: Line, source: _Source, days: int) -> Arithmetic:
    if source.once:
        return fee(line.unit_price)
    factors = line.unit_price, line.quantity
    return days_of_month(*factors, days) if source.prorated else product(*factors)


def _counted(line: Line, source: _Source, found: Stretches) -> Sequence[Stretch]:
    """The stretches whose days a line counts; a setup fee is due for the first ever."""
    counted: Sequence[Stretch] = ()
    if source.counts == "active":
        counted = found.active
    elif source.counts == "billable":
        counted = found.billable.get(line.package or "", ())
    return counted[:1] if source.once else counted


def _on(counted: Sequence[Stretch], of: DaySet, evidence: Evidence) -> list[Stretch]:
    """Those of the stretches that lie on one of these days."""
    return [stretch for stretch in counted if touched([stretch], evidence.month.days) & of]


def _causes(by: Sequence[Stretch], source: _Source, facts: Facts) -> tuple[Recorded, ...]:
    """The events that began these stretches, and those that ended them unless the fee depends on the beginning only."""
    causes = {event.seq for stretch in by for event in (stretch.began_by if source.once else stretch.causes)}
    return tuple(recorded for recorded in facts.events if recorded.event.seq in causes)


def _reasons(
    line: Line, source: _Source, counted: Sequence[Stretch], usage: Sequence[UsedOn], evidence: Evidence
) -> list[tuple[Why, DaySet]]:
    """Why days are not billed by a line, in the order in which the reasons count."""
    month = evidence.month
    days = month.days
    reasons = [
        (Why.BEFORE_BILLING_START, days.every_day & ~month.billed),
        (Why.TO_COME, days.every_day & ~days.touched(days.start, month.until)),
    ]
    if source.once:
        return [*reasons, (Why.CHARGED_ONCE, days.every_day)]
    is_metered = source.counts in tuple(Meter)
    counts = sum(1 << days.dates.index(on) for on in {of.on for of in usage}) if is_metered else touched(counted, days)
    priced = sum(1 << index for index, day in enumerate(days.dates) if _is_priced(line, source, day, evidence))
    idle = [(Why.UNUSED, days.every_day)] if is_metered else idle_days(evidence.found, days)
    return [*reasons, (Why.OTHER_LINE, counts & priced), (Why.NO_PRICE, counts & ~priced), *idle]


def _is_priced(line: Line, source: _Source, day: date, evidence: Evidence) -> bool:
    """Whether what is counted on a day has a price, 0 included (rule 8); spend is its own."""
    if source.price is None:
        return True
    record = evidence.prices.get((source.price, line.package), Versions[PriceRecord]()).on(day)
    return record is not None and record.value is not None
