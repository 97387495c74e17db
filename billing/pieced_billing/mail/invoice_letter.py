"""What goes with the PDF of an invoice or credit note, in the language that the invoice froze."""

from decimal import Decimal

from pieced_billing.calendar import Month
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.notation import written_date, written_number
from pieced_billing.documents.words import WORDS
from pieced_billing.invoicing.document import Kind
from pieced_billing.mail.message import Letter
from pieced_billing.mail.words import MAIL_WORDS
from pieced_billing.money import amount_text


def invoice_letter(invoice: InvoiceDocument, pdf: bytes) -> Letter:
    """The letter with its document attached."""
    words, page, gross = MAIL_WORDS[invoice.language], WORDS[invoice.language], Decimal(invoice.content["gross"])
    month = Month.parse(invoice.content["period"])
    attached = words.attached[invoice.kind].format(
        number=invoice.number,
        first=written_date(month.first),
        last=written_date(month.last),
        amount=written_number(amount_text(abs(gross))),
    )
    if invoice.kind is Kind.CREDIT_NOTE:
        payment = page.credited
    else:
        payment = page.payable.format(due_on=written_date(invoice.due_on)) if gross > 0 else page.nothing_payable
    title = page.titles[invoice.kind].format(number=invoice.number)
    return Letter(
        language=invoice.language,
        subject=f"{title}, {invoice.supplier.address.name}",
        text=f"{words.greeting}\n\n{attached}\n{payment}\n\n{words.closing}\n{invoice.supplier.address.name}\n",
        pdf=(f"{invoice.number}.pdf", pdf),
    )
