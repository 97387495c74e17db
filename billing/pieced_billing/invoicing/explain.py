"""Why a tenant costs what it costs: from each line of a month to its days, its events, its price and its VAT rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pieced_billing.calendar import MonthDays
from pieced_billing.invoicing.draft import Draft
from pieced_billing.invoicing.explain_stretches import Stretch, Stretches, touched
from pieced_billing.ledger.events import Event, Meter
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.show import Life
from pieced_billing.money import amount_text, number_text, price_text
from pieced_billing.parties.terms import PartyTerms, VatPosture
from pieced_billing.prices import book
from pieced_billing.prices.versions import Versions
from pieced_billing.rating.lines import Line


class _Source(NamedTuple):
    """What a kind of charge is worked out from: its field of the price list, if any, and what it counts."""

    price: str | None
    counts: str
    prorated: bool = False


SOURCES: Final[Mapping[str, _Source]] = {
    "tenant_setup_fee": _Source(book.TENANT_SETUP_FEE, "first active"),
    "tenant_monthly_fee": _Source(book.TENANT_MONTHLY_FEE, "active", prorated=True),
    "package_setup_fee": _Source(book.PACKAGE_SETUP_FEE, "first billable"),
    "package_days": _Source(book.PACKAGE_DAILY_PRICE, "billable"),
    "llm_spend": _Source(None, Meter.LLM_SPEND),
    "threema_messages": _Source(book.THREEMA_MESSAGE, Meter.THREEMA_MESSAGES),
}
"""By kind of charge; a test holds it to the kinds that there are."""


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """A price version with when and by whom it was recorded; `valid_from` is None where it holds since ever."""

    value: Decimal | None
    valid_from: date | None
    recorded_at: datetime
    recorded_by: str

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "value": None if self.value is None else price_text(self.value),
            "valid_from": None if self.valid_from is None else self.valid_from.isoformat(),
            "recorded_at": instant_text(self.recorded_at),
            "recorded_by": self.recorded_by,
        }


PriceRecords = Mapping[tuple[str, str | None], Versions[PriceRecord]]
"""By field and package (None: of the platform)."""


class UsedOn(NamedTuple):
    """The usage of one meter and source on one local day: how many records, and their sum."""

    meter: str
    on: date
    source: str
    records: int
    quantity: Decimal

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "on": self.on.isoformat(),
            "source": self.source,
            "records": self.records,
            "quantity": number_text(self.quantity),
        }


@dataclass(frozen=True, slots=True)
class Explained:
    """One line and what it comes from.

    `price` is the version that was in force, None for spend, which is billed at face value. `vat_rate` is the version
    of the rate, None where the statutory rate or no VAT is due.
    """

    line: Line
    document: Mapping[str, Any]
    formula: str
    days: tuple[date, ...]
    events: tuple[Event, ...]
    usage: tuple[UsedOn, ...]
    price: PriceRecord | None
    posture: VatPosture
    vat_rate: PriceRecord | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One tenant UID in one month, up to `as_of` where the month is not over. Days are those that count."""

    life: Life
    draft: Draft
    as_of: datetime | None
    active: tuple[date, ...]
    billable: Mapping[str, tuple[date, ...]]
    lines: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the lines of a draft are explained from."""

    days: MonthDays
    billed_from: date | None
    found: Stretches
    usage: Sequence[UsedOn]
    prices: PriceRecords
    terms: PartyTerms


def explain(life: Life, draft: Draft, as_of: datetime | None, evidence: Evidence) -> Explanation:
    """The explanation of a draft that has the lines of this tenant only."""
    documents = draft.document()["lines"]
    assert isinstance(documents, list)
    found = evidence.found
    return Explanation(
        life,
        draft,
        as_of,
        active=_dates(found.active, evidence),
        billable={package: _dates(of, evidence) for package, of in sorted(found.billable.items())},
        lines=tuple(_explained(*pair, evidence) for pair in zip(draft.lines, documents, strict=True)),
    )


def _explained(line: Line, document: Mapping[str, Any], evidence: Evidence) -> Explained:
    source = SOURCES[line.kind]
    counted = _counted(line, source, evidence.found)
    dates = [day for day in _dates(counted, evidence) if line.service_from <= day <= line.service_to]
    used = [of for of in evidence.usage if of.meter == source.counts and line.service_from <= of.on <= line.service_to]
    on = _on(counted, dates, evidence.days)
    # A fee that is charged once depends on what began, not on what ended it.
    by = [stretch.began_by if line.unit == "once" else stretch.causes for stretch in on]
    causes = {event.seq: event for events in by for event in events}
    prices = Versions[PriceRecord]() if source.price is None else evidence.prices[source.price, line.package]
    posture = evidence.terms.posture_on(line.service_from)
    rates = evidence.prices.get((book.VAT_RATE, None), Versions()) if posture is VatPosture.STANDARD else Versions()
    return Explained(
        line,
        document,
        _formula(line, document, len(evidence.days.dates) if source.prorated else None),
        days=tuple(dates or dict.fromkeys(of.on for of in used)),
        events=tuple(sorted(causes.values(), key=lambda event: (event.occurred_at, event.seq))),
        usage=tuple(used),
        price=prices.on(line.service_from),
        posture=posture,
        vat_rate=rates.on(line.service_from),
    )


def _counted(line: Line, source: _Source, found: Stretches) -> Sequence[Stretch]:
    """The stretches whose days a line counts; a setup fee is due for the first ever."""
    match source.counts:
        case "active":
            return found.active
        case "first active":
            return found.active[:1]
        case "billable":
            return found.billable[line.package or ""]
        case "first billable":
            return found.billable[line.package or ""][:1]
        case _:
            return ()


def _on(counted: Sequence[Stretch], dates: Sequence[date], days: MonthDays) -> list[Stretch]:
    """Those of the stretches that lie on one of these days."""
    wanted = sum(1 << days.dates.index(day) for day in dates)
    return [stretch for stretch in counted if touched([stretch], days) & wanted]


def _dates(found: Sequence[Stretch], evidence: Evidence) -> tuple[date, ...]:
    """The days of the month that stretches touch, as far as they are billed (rule 18)."""
    days, start = evidence.days, evidence.billed_from
    union = touched(found, days) & (days.every_day if start is None else days.days_from(start))
    return tuple(day for index, day in enumerate(days.dates) if union >> index & 1)


def _formula(line: Line, document: Mapping[str, Any], divisor: int | None) -> str:
    """How the amount comes about, before it is rounded."""
    if line.unit == "once":
        return amount_text(line.unit_price)
    product = f"{document['unit_price']} × {document['quantity']}"
    return product if divisor is None else f"{product} ÷ {divisor}"
