"""Months billed one after the other while lines of the ledger come late: rule 17 on values, without a database."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month, MonthDays
from pieced_billing.invoicing.adjustments import Adjustment, Bill, BilledLine, adjustments
from pieced_billing.invoicing.draft import Draft, draft
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.rating.lines import Line
from tests.engine import histories, price_book, terms
from tests.oracle.bill import Books


class BilledMonths:
    """The bills of one organisation, none of them credited."""

    def __init__(self, org: str, zone: str = "Europe/Zurich") -> None:
        self.org, self.zone = org, ZoneInfo(zone)
        self.documents: dict[str, dict[str, Any]] = {}
        self._bills: dict[Month, Bill] = {}
        self._lines: defaultdict[tuple[Month, str], list[BilledLine]] = defaultdict(list)

    @property
    def months(self) -> Collection[Month]:
        """Those that have a bill."""
        return self._bills.keys()

    def bill(self, month: Month, books: Books) -> Draft | None:
        """Bill a month by what is known now, with what it puts right of others; None without lines, or again."""
        if month in self._bills:
            return None
        made = self._draft(month, books, list(self._late(books)))
        if not made.lines:
            return None
        count = len(self._bills) + 1
        bill = Bill(count, f"INV-{month.next.year}-{count:06}", month)
        self._bills[month] = bill
        self.documents[bill.number] = made.document()
        for index, line in enumerate(made.lines):
            adjusted = made.adjustments.get(index)
            of_month, charge, returned = (month, line.kind, 0)
            if adjusted is not None:
                of_month, charge, returned = (adjusted.bill.month, adjusted.charge, adjusted.returned)
            billed = BilledLine(bill.invoice_id, index + 1, charge, line, returned)
            self._lines[of_month, line.uid].append(billed)
        return made

    def days_billed(self) -> Iterator[tuple[tuple[Month, str, str, str | None], list[int]]]:
        """How often each day of a month was billed, less how often it was given back, by charge of a tenant UID."""
        counts: defaultdict[tuple[Month, str, str, str | None], list[int]] = defaultdict(lambda: [0] * 31)
        for (month, uid), lines in self._lines.items():
            for one in lines:
                count = counts[month, uid, one.charge, one.line.package]
                for day in range(31):
                    count[day] += (one.line.days >> day & 1) - (one.returned >> day & 1)
        yield from counts.items()

    def _late(self, books: Books) -> Iterator[Adjustment]:
        for month, bill in self._bills.items():
            correct: defaultdict[str, list[Line]] = defaultdict(list)
            for line in self._draft(month, books).lines:
                correct[line.uid].append(line)
            billed = {uid for of_month, uid in self._lines if of_month == month}
            for uid in sorted(billed | set(correct)):
                yield from adjustments(bill, self._lines[month, uid], correct[uid])

    def _draft(self, month: Month, books: Books, adjusted: list[Adjustment] | None = None) -> Draft:
        billing_month = BillingMonth(MonthDays(month, self.zone), price_book(books))
        return draft(billing_month, self.org, histories(books, self.org), terms(books, self.org), adjusted or ())
