"""A finalised invoice or credit note as its documents need it: what was frozen, and who issued it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

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
