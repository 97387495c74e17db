"""A finalised invoice and what is left of it, read for a credit note."""

from decimal import Decimal
from typing import ClassVar, Final

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.invoicing.credit import CannotCredit, Original, Remaining, vat_by_rate
from pieced_billing.invoicing.document import Kind
from pieced_billing.money import ZERO, exact_sum
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.issuing_terms import named_issuer
from pieced_billing.parties.terms import VatPosture
from pieced_billing.rating.lines import Line
from pieced_billing.store.connections import Connection

_INVOICE: Final = """
SELECT id, kind, issuing_entity, zitadel_org_id, period_start, vat_posture, language, recipient, content -> 'vat'
FROM invoices WHERE number = %s
"""
_LINES: Final = """
SELECT tenant_name, tenant_uid, kind, package, service_from, service_to, quantity, unit, unit_price, vat_rate, amount,
       coalesce(days, 0)
FROM invoice_lines WHERE invoice_id = %s ORDER BY position
"""
_CREDIT_NOTES: Final = "SELECT content -> 'vat' FROM invoices WHERE credits = %s"
_CREDITED: Final = """
SELECT original_position, sum(amount) FROM invoice_lines
WHERE invoice_id IN (SELECT id FROM invoices WHERE credits = %s) GROUP BY original_position
"""


class UnknownInvoice(Refused):
    """There is no invoice with this number."""

    code: ClassVar[str] = "unknown_invoice"

    def __init__(self, number: str) -> None:
        super().__init__(f"There is no invoice {number!r}; numbers look like INV-2026-000001.")


def load_original(connection: Connection, number: str) -> Original:
    """An invoice with what is left of it; raises UnknownInvoice, and CannotCredit for a credit note."""
    row = connection.execute(_INVOICE, [number]).fetchone()
    if row is None:
        raise UnknownInvoice(number)
    invoice_id, kind, issuer, org, period_start, posture, language, recipient, vat = row
    if kind != Kind.INVOICE:
        raise CannotCredit(
            f"{number} is a credit note, which is never credited; what is wrong in the bill of a month comes right on "
            "the organisation's next one."
        )
    credited: dict[int, Decimal] = dict(connection.execute(_CREDITED, [invoice_id]).fetchall())
    lines = (Line(*line) for line in connection.execute(_LINES, [invoice_id]).fetchall())
    credit_notes = [of_credit for (of_credit,) in connection.execute(_CREDIT_NOTES, [invoice_id])]
    return Original(
        invoice_id=invoice_id,
        number=number,
        issued_by=named_issuer(issuer, load_issuing_terms(connection)),
        org=org,
        month=Month.of(period_start),
        vat_posture=VatPosture(posture),
        language=language,
        recipient=recipient,
        lines=tuple(
            Remaining(position, line, exact_sum([line.amount, credited.get(position, ZERO)]))
            for position, line in enumerate(lines, start=1)
        ),
        vat=vat_by_rate([vat, *credit_notes]),
        credit_notes=len(credit_notes),
    )
