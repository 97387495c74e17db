"""A finalised invoice or credit note as its documents need it: what was frozen, and who issued it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from pieced_billing.calendar import Month
from pieced_billing.documents.qr_bill import QrBill, qr_bill
from pieced_billing.invoicing.document import Kind
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.recipient import Recipient, printable_recipient


@dataclass(frozen=True)
class InvoiceDocument:
    """What every document of an invoice says; each is a function of this and nothing else.

    `recipient` are its parts by name as they were frozen, `content` is the bill in the interchange format.
    """

    kind: Kind
    number: str
    issued_on: date
    due_on: date
    language: str
    recipient: Mapping[str, str | None]
    content: Mapping[str, Any]
    supplier: IssuingEntity

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day that are billed: of its month, or from the earliest that was carried to it."""
        own: str = self.content["period"]
        first = min([own, *(line["carried_from"] for line in self.content["lines"] if "carried_from" in line)])
        return Month.parse(first).first, Month.parse(own).last

    @cached_property
    def printable_recipient(self) -> Recipient:
        """The recipient in printable text; raises UnfitText."""
        return printable_recipient(self.recipient)

    @cached_property
    def payment(self) -> QrBill | None:
        """The payment that is asked for; None where nothing is to be paid. Raises UnfitText."""
        gross = Decimal(self.content["gross"])
        debtor = self.printable_recipient.address
        return qr_bill(self.supplier.iban, self.supplier.address, gross, debtor, self.number)
