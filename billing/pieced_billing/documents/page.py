"""The page of an invoice: every text, amount and date as it is printed, for the template to put in its place."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, TypeAlias

from pieced_billing.calendar import Month
from pieced_billing.documents.charge_name import charge_name, is_share_of_month
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.notation import written_date, written_number, written_period
from pieced_billing.documents.page_text import page_text, wrappable
from pieced_billing.documents.slip import grouped_iban, grouped_reference, slip
from pieced_billing.documents.words import WORDS, Words
from pieced_billing.invoicing.document import Kind
from pieced_billing.money import amount_text, exact_sum

_Line: TypeAlias = Mapping[str, Any]
"""A line in the interchange format."""


def page(invoice: InvoiceDocument) -> dict[str, Any]:
    """What the template prints. Raises UnfitText for a recipient that cannot be printed."""
    words, content, supplier = WORDS[invoice.language], invoice.content, invoice.supplier
    payment = invoice.payment
    return {
        "language": invoice.language,
        "title": words.titles[invoice.kind].format(number=invoice.number),
        "page_of": words.page_of,
        "accent": supplier.accent_colour,
        "logo": supplier.logo,
        "supplier": {"name": wrappable(supplier.address.name), "lines": list(_supplier(invoice, words))},
        "recipient": [wrappable(line) for line in invoice.printable_recipient.lines],
        "facts": list(_facts(invoice, words)),
        "columns": words.columns,
        "tenants": _tenants(content["lines"], words),
        "vat": {
            "columns": words.vat_columns,
            "rows": [
                [vat["rate"], written_number(vat["net"]), written_number(vat["amount"])] for vat in content["vat"]
            ],
        },
        "total": {"name": words.total, "amount": written_number(content["gross"])},
        "notes": list(_notes(invoice, words)),
        "slip": None if payment is None else slip(payment, invoice.language),
    }


def _supplier(invoice: InvoiceDocument, words: Words) -> Iterator[str]:
    supplier = invoice.supplier
    yield from map(wrappable, supplier.address.lines()[1:])
    if supplier.vat_number is not None:
        yield words.vat_number.format(number=supplier.vat_number)
    if supplier.email is not None:
        yield supplier.email


def _facts(invoice: InvoiceDocument, words: Words) -> Iterator[tuple[str, str]]:
    recipient = invoice.printable_recipient
    yield words.issued_on, written_date(invoice.issued_on)
    if invoice.kind is Kind.INVOICE:
        yield words.due_on, written_date(invoice.due_on)
    yield words.period, written_period(*invoice.period)
    yield words.customer, page_text(invoice.content["org"])
    if recipient.vat_number is not None:
        yield words.customer_vat_number, wrappable(recipient.vat_number)
    if recipient.purchase_order is not None:
        yield words.purchase_order, wrappable(recipient.purchase_order)
    if "credits" in invoice.content:
        yield words.credited_invoice, invoice.content["credits"]
        yield words.reason, page_text(invoice.content["reason"], longest=400)


def _tenants(lines: Iterable[_Line], words: Words) -> list[dict[str, Any]]:
    """The lines of each tenant, which stand together already (rule 13), with their sum."""
    return [
        {"lines": [_cells(line, words) for line in of_tenant], **_heading(tenant, of_tenant, words)}
        for (tenant, _), of_tenant in (
            (key, list(group)) for key, group in groupby(lines, lambda line: (line["tenant"], line["uid"]))
        )
    ]


def _heading(tenant: str, lines: Iterable[_Line], words: Words) -> dict[str, str]:
    name = page_text(tenant)
    subtotal = exact_sum(Decimal(line["amount"]) for line in lines)
    return {
        "name": name,
        "subtotal_of": words.subtotal.format(tenant=name),
        "subtotal": written_number(amount_text(subtotal)),
    }


def _cells(line: _Line, words: Words) -> list[str]:
    """A line as the columns of the page have it."""
    return [
        _described(line, words),
        written_period(date.fromisoformat(line["service_from"]), date.fromisoformat(line["service_to"])),
        _quantity(line, words),
        written_number(line["unit_price"]),
        line["vat_rate"],
        written_number(line["amount"]),
    ]


def _described(line: _Line, words: Words) -> str:
    """What a line charges; an adjustment, which is the difference of two amounts, says of which."""
    name = charge_name(line, words, page_text)
    if "adjusts" not in line:
        return name
    amounts = {which: written_number(line[which]) for which in ("billed", "correct")}
    return f"{name} {words.adjusted.format(**amounts)}"


def _quantity(line: _Line, words: Words) -> str:
    """How much is charged: of a monthly fee, the days of the month that count."""
    quantity = written_number(line["quantity"])
    one, several = words.month_share if is_share_of_month(line) else words.units.get(line["unit"], ("{}", "{}"))
    days = Month.of(date.fromisoformat(line["service_from"])).last.day
    return (one if quantity in {"1", "−1"} else several).format(quantity, days)


def _notes(invoice: InvoiceDocument, words: Words) -> Iterator[str]:
    """Why there is no VAT, and how and until when to pay."""
    content, payment = invoice.content, invoice.payment
    postures = dict.fromkeys(invoice.posture(line) for line in content["lines"])
    yield from (words.postures[posture] for posture in postures if posture in words.postures)
    if Decimal(content["gross"]) <= 0:
        yield words.credited if invoice.kind is Kind.CREDIT_NOTE else words.nothing_payable
        return
    yield words.payable.format(due_on=written_date(invoice.due_on))
    if payment is not None:
        yield words.account.format(iban=grouped_iban(payment.iban), reference=grouped_reference(payment.reference))
