"""What the lines of a told history are explained from, without a database in between."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month, MonthDays, from_microseconds
from pieced_billing.explaining.evidence import Evidence
from pieced_billing.explaining.facts import Facts, Known, UsedOn
from pieced_billing.explaining.prices import PriceRecord, PriceRecords
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.observation import LedgerRow
from pieced_billing.ledger.show import Life, Recorded
from pieced_billing.parties.terms import UNCONFIGURED
from pieced_billing.prices.book import PriceBook
from pieced_billing.prices.versions import Version, Versions
from tests.engine import histories, price_book, terms
from tests.oracle.bill import Books, Question

RECORDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def events_of(history: TenantHistory) -> list[Event]:
    """The events of a history: its creation first, its deletion last."""

    def event(kind: Kind, at: int, seq: int, package: str | None = None) -> Event:
        occurred_at = from_microseconds(at)
        return Event("", history.uid, history.tenant, "310001", seq, kind, package, occurred_at, None, None,
                     Quality.EXACT, "import", None, None)  # fmt: skip

    made = [event(Kind.CREATED, history.created_at, 0)]
    made += [event(Kind(kind), at, seq, package or None) for at, seq, kind, package in history.moments]
    if history.deleted_at is not None:
        made.append(event(Kind.DELETED, history.deleted_at, 10_000))
    return made


def evidence_of(books: Books, question: Question) -> list[tuple[TenantHistory, Evidence]]:
    """The evidence of each tenant UID of the organisation in question; events are linked in their order."""
    days = MonthDays(Month.parse(question.month), ZoneInfo(question.zone))
    book = price_book(books)
    month = BillingMonth(days, book, question.billing_start)
    of_org = terms(books, question.org) or UNCONFIGURED
    return [
        (history, Evidence(month, known(history, days), price_records(book), of_org))
        for history in histories(books, question.org)
    ]


def known(history: TenantHistory, days: MonthDays) -> Known:
    """All facts of a history."""
    ordered = sorted(events_of(history), key=lambda event: (event.occurred_at, event.seq))
    recorded = tuple(Recorded(event, RECORDED_AT, event.seq) for event in ordered)
    row = LedgerRow("", history.uid, history.tenant, "310001", from_microseconds(history.created_at))
    return Known(Life(row, recorded, ()), Facts(recorded, tuple(_usage(history, days))))


def without(evidence: Evidence, *kinds: Kind) -> Evidence:
    """The evidence as if events of these kinds came later."""
    facts = evidence.known.facts
    late = tuple(one for one in facts.events if one.event.kind in kinds)
    before = Facts(tuple(one for one in facts.events if one not in late), facts.usage)
    return replace(evidence, known=replace(evidence.known, facts=before, later=Facts(late)))


def price_records(book: PriceBook) -> PriceRecords:
    """A price book with when and by whom each version was recorded."""

    def records(versions: Versions[Decimal]) -> Versions[PriceRecord]:
        return Versions(
            tuple(
                Version(valid_from, PriceRecord(value, valid_from, RECORDED_AT, "somebody"))
                for valid_from, value in versions.recorded
            )
        )

    found: dict[tuple[str, str | None], Versions[PriceRecord]] = {}
    fields: list[tuple[str | None, Mapping[str, Versions[Decimal]]]] = [(None, book.platform), *book.packages.items()]
    for package, by_name in fields:
        found |= {(name, package): records(versions) for name, versions in by_name.items()}
    return found


def _usage(history: TenantHistory, days: MonthDays) -> list[UsedOn]:
    found: defaultdict[tuple[str, int], list[Decimal]] = defaultdict(list)
    for at, meter, quantity in history.usage:
        index = days.index(at)
        if index is not None and quantity:
            found[meter, index].append(quantity)
    return [
        UsedOn(
            meter,
            days.dates[index],
            "import",
            len(quantities),
            sum(quantities, Decimal(0)),
            sum((one for one in quantities if one > 0), Decimal(0)),
            sum((one for one in quantities if one < 0), Decimal(0)),
        )
        for (meter, index), quantities in sorted(found.items())
    ]
