"""Adjustments: what a finalised period should have been billed less what it was, charge by charge (rule 17)."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from pieced_billing.calendar import DaySet, Month, first_day, last_day
from pieced_billing.money import amount_text, exact_sum
from pieced_billing.rating.lines import Line

KIND: Final = "adjustment"

_Charge: TypeAlias = tuple[str, str | None, Decimal, Decimal]
"""Kind, package, unit price and VAT rate: what lines have in common that are put right together."""


class Bill(NamedTuple):
    """The bill of a period that stands."""

    invoice_id: int
    number: str
    month: Month


class BilledLine(NamedTuple):
    """A line of a bill that stands, with the kind of charge that it is about.

    Of an adjustment `line.days` are added to what was billed and `returned` taken away.
    """

    invoice_id: int
    position: int
    charge: str
    line: Line
    returned: DaySet


class Adjustment(NamedTuple):
    """A line that puts right what `bill` says of one charge; amounts in CHF.

    `original_line` is the place of its first line there, None where it has none.
    """

    line: Line
    charge: str
    bill: Bill
    original_line: int | None
    billed: Decimal
    correct: Decimal
    returned: DaySet

    def document(self) -> dict[str, Any]:
        """What the line has in the interchange format beyond any other."""
        return {
            "adjusts": self.charge,
            "original_period": str(self.bill.month),
            "original_invoice": self.bill.number,
            "original_line": self.original_line,
            "billed": amount_text(self.billed),
            "correct": amount_text(self.correct),
        }


def adjustments(bill: Bill, billed: Sequence[BilledLine], correct: Iterable[Line]) -> Iterator[Adjustment]:
    """The differences of one tenant UID: nothing where what was billed is right, whatever lines it was billed by."""
    was: dict[_Charge, list[BilledLine]] = {}
    now: dict[_Charge, list[Line]] = {}
    for one in billed:
        was.setdefault(charge_of(one.charge, one.line), []).append(one)
    for line in correct:
        now.setdefault(charge_of(line.kind, line), []).append(line)
    for charge in dict.fromkeys((*now, *was)):
        adjustment = _adjustment(bill, was.get(charge, []), now.get(charge, []))
        if adjustment.line.amount:
            yield adjustment


def charge_of(kind: str, line: Line) -> _Charge:
    """What a line of this kind of charge is put right together with."""
    return kind, line.package, line.unit_price, line.vat_rate


def _adjustment(bill: Bill, was: Sequence[BilledLine], now: Sequence[Line]) -> Adjustment:
    """One charge as it was billed, by the bill and the adjustments since, and as it should have been."""
    model = now[0] if now else was[0].line
    billed, correct = exact_sum(one.line.amount for one in was), exact_sum(line.amount for line in now)
    days_billed, days_correct = 0, 0
    for one in sorted(was, key=lambda one: (one.invoice_id, one.returned == 0)):  # a bill takes back before it bills
        days_billed = days_billed & ~one.returned | one.line.days
    for line in now:
        days_correct |= line.days
    touched = days_billed ^ days_correct or days_correct
    dates = (
        [bill.month.dates[index] for index in (first_day(touched), last_day(touched))]
        if touched
        else [*(one.line.service_from for one in was), *(one.line.service_to for one in was)]
    )
    quantity = sum((line.quantity for line in now), Decimal(0)) - sum((one.line.quantity for one in was), Decimal(0))
    line = model._replace(
        kind=KIND,
        service_from=min(dates),
        service_to=max(dates),
        quantity=quantity,
        amount=correct - billed,
        days=days_correct & ~days_billed,
    )
    original = (one.position for one in was if one.invoice_id == bill.invoice_id)
    charge = now[0].kind if now else was[0].charge
    return Adjustment(line, charge, bill, next(original, None), billed, correct, days_billed & ~days_correct)
