"""What was known of one tenant UID when something was billed, and what came later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from pieced_billing.calendar import Microseconds, from_microseconds
from pieced_billing.ledger.discontinuities import RecordedSeam
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.show import Life, Recorded
from pieced_billing.money import number_text

Fact = TypeVar("Fact", Recorded, RecordedSeam)


class Cut(NamedTuple):
    """Up to where a ledger was read: a place in the UID's hash chain; an instant for what has no place there."""

    read_to: int | None
    at: datetime

    def knew(self, recorded: Recorded | RecordedSeam) -> bool:
        """Whether an event, or a seam, was known then."""
        if recorded.link is None or self.read_to is None:
            return recorded.recorded_at <= self.at
        return recorded.link <= self.read_to


class UsedOn(NamedTuple):
    """The usage of one meter and source on one local day: how many records, and their sum.

    `added` is the sum of those above zero, `taken_back` that of those below.
    """

    meter: str
    on: date
    source: str
    records: int
    quantity: Decimal
    added: Decimal
    taken_back: Decimal

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "on": self.on.isoformat(),
            "source": self.source,
            "records": self.records,
            "quantity": number_text(self.quantity),
        }


class UsageRecord(NamedTuple):
    """One of the largest records of a meter and day."""

    meter: str
    on: date
    source: str
    usage_id: str
    quantity: Decimal
    occurred_at: datetime

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "id": self.usage_id,
            "source": self.source,
            "at": instant_text(self.occurred_at),
            "quantity": number_text(self.quantity),
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """What a line may be due for: activity of a tenant, a package of it, or a meter, up to the end of a month."""

    counts: str
    package: str | None
    end: Microseconds

    @property
    def follows_events(self) -> bool:
        """Whether events decide about it, and so what was not seen of them."""
        return self.counts in ("active", "billable")

    def concerns(self, recorded: Recorded) -> bool:
        """Whether an event may decide about it."""
        event = recorded.event
        is_switch = event.kind in (Kind.ENABLED, Kind.DISABLED)
        return (
            event.occurred_at < from_microseconds(self.end)
            and (self.package == event.package if is_switch else True)
            and self.follows_events
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Events of a UID in the order of their folding, and its usage in one month, by meter, day and source.

    `seams` are where something may have happened unseen in the month.
    """

    events: tuple[Recorded, ...] = ()
    usage: tuple[UsedOn, ...] = ()
    seams: tuple[RecordedSeam, ...] = ()

    def about(self, subject: Subject) -> "Facts":
        """Those that may decide about something."""
        return Facts(
            tuple(recorded for recorded in self.events if subject.concerns(recorded)),
            tuple(of for of in self.usage if of.meter == subject.counts),
            self.seams if subject.follows_events else (),
        )

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "events": [recorded.document() for recorded in self.events],
            "usage": [{"meter": of.meter, **of.document()} for of in self.usage],
            "discontinuities": [seam.document() for seam in self.seams],
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What a bill of one tenant UID and month knew.

    `arrived` is what of it the bill before did not know, `later` what is known today only. `largest` are the usage
    records of each meter and day that are the largest by their amount.
    """

    life: Life
    facts: Facts
    largest: Sequence[UsageRecord] = ()
    arrived: Facts = Facts()
    later: Facts = Facts()


def by_cut(
    recorded: Iterable[Fact], cut: Cut | None, before: Cut | None
) -> tuple[tuple[Fact, ...], tuple[Fact, ...], tuple[Fact, ...]]:
    """What was known (all without a cut), what of it was new since `before`, and what came later."""
    of_all = tuple(recorded)
    known = tuple(one for one in of_all if cut is None or cut.knew(one))
    arrived = tuple(one for one in known if before is not None and not before.knew(one))
    return known, arrived, tuple(one for one in of_all if cut is not None and not cut.knew(one))
