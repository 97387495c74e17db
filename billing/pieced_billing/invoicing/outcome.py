"""What becomes of the organisations of an invoice run. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal

from pieced_billing.calendar import Month
from pieced_billing.invoicing.outcomes import Decided, Stage


@dataclass(frozen=True, slots=True)
class Parked:
    """An organisation that was left out, with a stable code and a sentence."""

    org: str
    code: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of some organisations; `gross` is the sum of the new invoices in CHF.

    `by_series` has the numbers by issuing entity and series, ascending; `reopened` are months of before, and who has
    something to bill in them now. Bills below their issuer's minimum amount wait for the next: in `carried` they have
    lines of the month itself, in `held` only what other months are due.
    """

    numbers: list[str] = field(default_factory=list)
    by_series: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    gross: Decimal = Decimal("0.00")
    invoiced_before: int = 0
    nothing_to_bill: list[str] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    reopened: list[tuple[Month, str]] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count another outcome into this one."""
        self.numbers += other.numbers
        for series, numbers in other.by_series.items():
            _add_numbers(self.by_series.setdefault(series, []), numbers)
        self.gross += other.gross
        self.invoiced_before += other.invoiced_before
        self.nothing_to_bill += other.nothing_to_bill
        self.carried += other.carried
        self.held += other.held
        self.parked += other.parked
        self.reopened += other.reopened

    @property
    def empty(self) -> int:
        """How many organisations have nothing to bill."""
        return len(self.nothing_to_bill)

    def not_invoiced(self) -> list[Decided]:
        """What became of those that got no bill."""
        without_reason = ((Stage.EMPTY, self.nothing_to_bill), (Stage.CARRIED, self.carried), (Stage.HELD, self.held))
        decided = [Decided(org, stage) for stage, orgs in without_reason for org in orgs]
        return [*decided, *(Decided(one.org, Stage.PARKED, one.code, one.reason) for one in self.parked)]


def _add_numbers(given: list[str], others: list[str]) -> None:
    """Put numbers of one series among the others of it; those of a batch follow each other without any between."""
    is_before = given and others and _place(others[0]) < _place(given[-1])
    given.extend(others)
    if is_before:
        given.sort(key=_place)


def _place(number: str) -> tuple[int, str]:
    """Where a number stands in its series: a million is longer than what comes before it."""
    return len(number), number
