"""The invoices of made-up customers as committed JSON, and the text of some of their pages."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from pieced_billing.calendar import Month
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.pdf import render
from pieced_billing.invoicing.credit import Original, Remaining, credit
from pieced_billing.invoicing.document import Invoice, Kind
from pieced_billing.invoicing.issue import issue
from pieced_billing.parties.issuing_terms import CREDIT_SERIES, SERIES, IssuingTerms
from pieced_billing.parties.organisation import FIELDS, Organisation
from pieced_billing.rating.vat import vat_totals
from tests.billed_months import BilledMonths
from tests.customers import CUSTOMERS, PACKAGES, PLATFORM, PRINTED, Customer
from tests.engine import terms
from tests.invoice_documents import supplier, texts
from tests.oracle.bill import Books

FOLDER: Final = Path(__file__).parent / "unit" / "golden" / "invoices"


def files() -> Iterator[tuple[str, str]]:
    """Name and content of each file."""
    for name, customer in CUSTOMERS.items():
        document = invoice_document(customer)
        yield f"{name}.json", _json(document)
        if name in PRINTED:
            yield f"{name}.txt", "\f\n".join(texts(render(document))) + "\n"


def _json(document: InvoiceDocument) -> str:
    payment = document.payment
    content = {
        "kind": document.kind,
        "number": document.number,
        "issued_on": str(document.issued_on),
        "due_on": str(document.due_on),
        "language": document.language,
        "recipient": document.recipient,
        **document.content,
        "payment": None if payment is None else payment.payload.splitlines(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def invoice_document(customer: Customer) -> InvoiceDocument:
    """The invoice or credit note of a customer, as its documents need it."""
    invoice = _invoice(customer)
    if customer.credit is not None:
        invoice = credit(_original(invoice), customer.credit, "Gutschrift nach Gespräch", date(2026, 4, 20))
    series = SERIES if invoice.kind is Kind.INVOICE else CREDIT_SERIES
    return InvoiceDocument(
        kind=invoice.kind,
        number=IssuingTerms().number(series, invoice.issued_on.year, 42),
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        language=invoice.language,
        recipient=invoice.recipient,
        content=invoice.content,
        supplier=supplier(),
    )


def _invoice(customer: Customer) -> Invoice:
    """What is issued on the day after the month."""
    org, month = customer.org["org"], Month.parse(customer.month)
    entries = [customer.org, *({**customer.org, **entry} for entry in customer.moved)]
    billed = BilledMonths(org)
    if customer.late:
        billed.bill(month.previous, Books(customer.told, PLATFORM, PACKAGES, entries))
    books = Books([*customer.told, *customer.late], PLATFORM, PACKAGES, entries)
    draft = billed.bill(month, books)
    assert draft is not None
    organisation = Organisation(org, **{name: customer.org.get(name) for name in FIELDS})
    invoice = issue(draft, organisation, terms(books, org), {}, month.next.first)
    assert invoice is not None
    return invoice


def _original(invoice: Invoice) -> Original:
    """The invoice, with nothing credited, as a credit note finds it."""
    return Original(
        invoice_id=1,
        number=IssuingTerms().number(SERIES, invoice.issued_on.year, 41),
        issued_by=invoice.issued_by,
        org=invoice.org,
        month=invoice.month,
        vat_posture=invoice.vat_posture,
        language=invoice.language,
        recipient=invoice.recipient,
        lines=tuple(Remaining(position, line, line.amount) for position, line in enumerate(invoice.lines, start=1)),
        vat={total.rate: total.amount for total in vat_totals(invoice.lines)},
        credit_notes=0,
    )
