"""What was issued, as it is kept: an invoice or a credit note, and the lines that it seals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.explaining.facts import Cut
from pieced_billing.invoicing.adjustments import Bill
from pieced_billing.invoicing.document import Kind
from pieced_billing.rating.lines import Line
from pieced_billing.verification.documents import Then


class UnknownLine(Refused):
    """An invoice has no line at this place."""

    code: ClassVar[str] = "unknown_line"

    def __init__(self, number: str, position: int, lines: int) -> None:
        there = "its only line is 1" if lines == 1 else f"its lines are 1 to {lines}"
        super().__init__(f"{number} has no line {position}; {there}.")


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """A line at its place (from 1), as it is stored.

    `has_days` is False of lines from before days were kept. `adjusts` is the kind of charge that an adjustment puts
    right in `bill`, which is earlier; `returned` are days that it takes back, `original_position` is the line of
    the original. `read_to` is how far the UID's chain was read.
    """

    position: int
    line: Line
    has_days: bool
    read_to: int | None
    original_position: int | None
    adjusts: str | None
    bill: Bill | None
    returned: int

    @property
    def month(self) -> Month:
        """The month of its services: that of its bill, one that was carried to it, or one that it puts right."""
        return Month.of(self.line.service_from)


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice or a credit note; amounts in CHF, `content` is its document as it was frozen.

    `credits` is the number of the invoice that it takes back from, None for the bill of a period. `then` is what a bill
    says that it knew; None where that was not kept yet.
    """

    invoice_id: int
    number: str
    kind: Kind
    org: str
    month: Month
    issued_on: date
    finalised_at: datetime
    net: Decimal
    vat: Decimal
    gross: Decimal
    content: Mapping[str, Any]
    credits: str | None
    reason: str | None
    then: Then | None
    lines: tuple[IssuedLine, ...]

    @property
    def months(self) -> set[Month]:
        """The periods that it bills: its own, and those that were carried to it."""
        return {self.month, *(one.month for one in self.lines if one.adjusts is None)}

    def at(self, position: int) -> IssuedLine:
        """The line at a place. Raises UnknownLine."""
        found = next((one for one in self.lines if one.position == position), None)
        if found is None:
            raise UnknownLine(self.number, position, len(self.lines))
        return found

    def shown(self, position: int) -> Mapping[str, Any]:
        """The line at a place as the document has it; empty where the document has none."""
        lines: list[Mapping[str, Any]] = self.content["lines"]
        return lines[position - 1] if position <= len(lines) else {}

    def cut(self, read_to: int | None) -> Cut:
        """What was known of a UID when this was issued."""
        return Cut(read_to, self.finalised_at)
