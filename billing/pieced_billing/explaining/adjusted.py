"""An adjustment explained: what was billed, what is right, and what came in between (rule 17)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from pieced_billing.explaining.agreement import differs_from_ledger
from pieced_billing.explaining.arithmetic import Arithmetic, difference
from pieced_billing.explaining.evidence import Evidence
from pieced_billing.explaining.facts import Facts
from pieced_billing.explaining.issued import IssuedLine
from pieced_billing.explaining.line import Explained, explain_line, subject
from pieced_billing.invoicing.adjustments import Adjustment, Bill, BilledLine, adjustments, charge_of
from pieced_billing.money import amount_text, exact_sum
from pieced_billing.rating.lines import Line


class Billed(NamedTuple):
    """A line by which something was billed before, or put right before."""

    invoice: str
    position: int
    amount: Decimal

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"invoice": self.invoice, "line": self.position, "amount": amount_text(self.amount)}


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What an adjustment puts right.

    `arrived` is what the bills before did not know. `taken_back` says that the month itself is billed again, with lines
    of its own: nothing is right of what was adjusted in it.
    """

    arithmetic: Arithmetic
    billed: tuple[Billed, ...]
    correct: tuple[Explained, ...]
    arrived: Facts
    taken_back: bool


def explain_adjustment(
    stored: IssuedLine,
    bill: Bill,
    evidence: Evidence,
    before: Sequence[BilledLine],
    numbers: Mapping[int, str],
    *,
    taken_back: bool,
) -> tuple[Adjusted, list[str]]:
    """What an adjustment comes from, and in what it differs from what the ledger gives.

    `evidence` is of the month that is put right, as it was known when the adjustment was issued; `before` is what had
    been billed of it by then, and `numbers` those of its invoices.
    """
    kind = stored.adjusts or ""
    charge = charge_of(kind, stored.line)
    correct: list[Line] = [] if taken_back else [one for one in evidence.lines if charge_of(one.kind, one) == charge]
    billed = [one for one in before if charge_of(one.charge, one.line) == charge]
    adjusted = Adjusted(
        difference(exact_sum(one.amount for one in correct), exact_sum(one.line.amount for one in billed)),
        tuple(Billed(numbers.get(one.invoice_id, "?"), one.position, one.line.amount) for one in billed),
        tuple(explain_line(one, evidence) for one in correct),
        Facts() if taken_back else evidence.known.arrived.about(subject(kind, stored.line.package, evidence)),
        taken_back,
    )
    expected = next(iter(adjustments(bill, billed, correct)), None) if billed or correct else None
    return adjusted, _differences(stored, expected)


def _differences(stored: IssuedLine, expected: Adjustment | None) -> list[str]:
    found = differs_from_ledger(stored.line, None if expected is None else expected.line)
    if expected is not None and not found and stored.original_position != expected.original_line:
        found = [f"it names line {stored.original_position} of {expected.bill.number}, not {expected.original_line}"]
    return found
