"""What is issued and numbered: an invoice, or a credit note that takes back from one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import Adjustment
from pieced_billing.invoicing.proof import Evidence
from pieced_billing.parties.issuing_terms import CREDIT_SERIES, SERIES, IssuingTerms
from pieced_billing.parties.terms import VatPosture
from pieced_billing.rating.lines import Line

RULES_VERSION: Final = "1"
"""Which edition of the rules of a bill a document was made by."""


class Kind(StrEnum):
    """An invoice, or a document below zero."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a credit note takes back: of which invoice, why, and by line of its own the position of the line there.

    `completes` says that nothing is left of that invoice.
    """

    invoice_id: int
    reason: str
    positions: tuple[int, ...]
    completes: bool


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or a credit note that has no number yet; amounts in CHF, those of a credit note below zero.

    `content` is its document in the interchange format. Without a `reversal` it is the bill of a period, of which
    `revision` counts the issues, `adjustments` are its lines that put other periods right, by index, and `evidence` is
    what it stands on. `issued_by` says how its number is written, and whose it is.
    """

    kind: Kind
    issued_by: IssuingTerms
    org: str
    month: Month
    revision: int
    vat_posture: VatPosture
    lines: Sequence[Line]
    net: Decimal
    gross: Decimal
    content: Mapping[str, object]
    recipient: Mapping[str, str | None]
    language: str
    issued_on: date
    due_on: date
    reversal: Reversal | None = None
    adjustments: Mapping[int, Adjustment] = field(default_factory=dict)
    evidence: Evidence | None = None

    @property
    def series(self) -> str:
        """The series of its number."""
        return SERIES if self.kind is Kind.INVOICE else CREDIT_SERIES
