"""How a month is to be finalised: for whom, with which date, and whether for good."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused


@dataclass(frozen=True, slots=True)
class Wish:
    """For one organisation, or those that are invoiced automatically, or all.

    `issued_on` is the date on the invoices, today without it. `confirmed` lets amounts through that are unusual. A dry
    run does everything and keeps nothing.
    """

    org: str | None = None
    automatic: bool = False
    issued_on: date | None = None
    confirmed: bool = False
    dry: bool = False


WHOLE: Final = Wish()
"""Every organisation, issued today."""


class PeriodNotOver(Refused):
    """A period is finalised after it is over, never before (rule 18)."""

    code: ClassVar[str] = "period_not_over"

    def __init__(self, month: Month) -> None:
        super().__init__(f"{month} is not over; it can be invoiced from {month.next.first} on.")


class WrongIssueDate(Refused):
    """An invoice is issued after its period, and not in the future."""

    code: ClassVar[str] = "wrong_issue_date"

    def __init__(self, day: date, month: Month, today: date) -> None:
        super().__init__(f"Invoices of {month} can be issued from {month.next.first} to {today}, not on {day}.")


def refuse_wrong_time(month: Month, wish: Wish, today: date) -> None:
    """Raise PeriodNotOver or WrongIssueDate."""
    if month.next.first > today:
        raise PeriodNotOver(month)
    if wish.issued_on is not None and not month.next.first <= wish.issued_on <= today:
        raise WrongIssueDate(wish.issued_on, month, today)
