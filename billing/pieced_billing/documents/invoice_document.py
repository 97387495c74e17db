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
from pieced_billing.parties.terms import UNCONFIGURED, PartyTerms, VatPosture


@dataclass(frozen=True)
class InvoiceDocument:
    """What every document of an invoice says; each is a function of this and nothing else.

    `recipient` are its parts by name as they were frozen, `content` is the bill in the interchange format. `terms` are
    those that the bill stands on; a bill from before that was kept has none.
    """

    kind: Kind
    number: str
    issued_on: date
    due_on: date
    language: str
    recipient: Mapping[str, str | None]
    content: Mapping[str, Any]
    supplier: IssuingEntity
    terms: PartyTerms = UNCONFIGURED

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day that are billed: of its month, or from the earliest that was carried to it."""
        own: str = self.content["period"]
        first = min([own, *(line["carried_from"] for line in self.content["lines"] if "carried_from" in line)])
        return Month.parse(first).first, Month.parse(own).last

    def posture(self, line: Mapping[str, Any]) -> VatPosture:
        """Why a line has its VAT rate: the posture of its days of service, which the bill's may differ from (rule 14).

        Without terms, what has no VAT on a bill that has some was supplied while the customer was abroad.
        """
        if Decimal(line["vat_rate"]):
            return VatPosture.STANDARD
        if self.terms.configured:
            return self.terms.posture_on(date.fromisoformat(line["service_from"]))
        of_bill = VatPosture(self.content["vat_posture"])
        return VatPosture.EXPORT if of_bill is VatPosture.STANDARD else of_bill

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
