"""What was known of one tenant UID when something was billed, and what came later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pieced_billing.calendar import Microseconds, from_microseconds
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.observation import Discontinuity
from pieced_billing.ledger.show import Life, Recorded
from pieced_billing.money import number_text


class Cut(NamedTuple):
    """Up to where a ledger was read: a place in the UID's hash chain; an instant for what has no place there."""

    read_to: int | None
    at: datetime

    def knew(self, recorded: Recorded) -> bool:
        """Whether an event was known then."""
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

    def concerns(self, recorded: Recorded) -> bool:
        """Whether an event may decide about it."""
        event = recorded.event
        is_switch = event.kind in (Kind.ENABLED, Kind.DISABLED)
        return (
            event.occurred_at < from_microseconds(self.end)
            and (self.package == event.package if is_switch else True)
            and self.counts in ("active", "billable")
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Events of a UID in the order of their folding, and its usage in one month, by meter, day and source."""

    events: tuple[Recorded, ...] = ()
    usage: tuple[UsedOn, ...] = ()

    def about(self, subject: Subject) -> "Facts":
        """Those that may decide about something."""
        return Facts(
            tuple(recorded for recorded in self.events if subject.concerns(recorded)),
            tuple(of for of in self.usage if of.meter == subject.counts),
        )

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "events": [recorded.document() for recorded in self.events],
            "usage": [{"meter": of.meter, **of.document()} for of in self.usage],
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

    def seams(self, start: Microseconds, end: Microseconds) -> tuple[Discontinuity, ...]:
        """Where something may have happened unseen, between two instants."""
        return tuple(
            seam
            for seam in self.life.seams
            if seam.not_before < from_microseconds(end) and seam.not_after >= from_microseconds(start)
        )


def events_by_cut(
    events: Iterable[Recorded], cut: Cut | None, before: Cut | None
) -> tuple[tuple[Recorded, ...], tuple[Recorded, ...], tuple[Recorded, ...]]:
    """Events that were known (all without a cut), those of them that were new since `before`, and those of later."""
    of_all = tuple(events)
    known = tuple(one for one in of_all if cut is None or cut.knew(one))
    arrived = tuple(one for one in known if before is not None and not before.knew(one))
    return known, arrived, tuple(one for one in of_all if cut is not None and not cut.knew(one))
