"""The e-invoice: what an invoice says to programs (EN 16931 in the syntax CII, as Factur-X and ZUGFeRD have it).

Comments name the business terms of the standard (BT-1 …) where ours are others.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from pieced_billing.calendar import Month
from pieced_billing.documents.cii import day, document, element, period
from pieced_billing.documents.e_invoice_lines import e_invoice_line
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.notation import written_date
from pieced_billing.documents.words import WORDS
from pieced_billing.invoicing.document import Kind
from pieced_billing.money import amount_text, exact_sum
from pieced_billing.parties.countries import countries, vat_prefixes
from pieced_billing.parties.postal_address import PostalAddress
from pieced_billing.parties.recipient import Recipient
from pieced_billing.parties.terms import VatPosture

PROFILE: Final = "urn:cen.eu:en16931:2017"
_TYPE_CODES: Final = {Kind.INVOICE: "380", Kind.CREDIT_NOTE: "381"}
_CREDIT_TRANSFER: Final = "30"
_NO_VAT: Final = {VatPosture.EXPORT: "G", VatPosture.REVERSE_CHARGE: "AE", VatPosture.EXEMPT: "E"}
"""VAT categories (UNTDID 5305) of lines without VAT, by posture."""
_STANDARD_RATE: Final = "S"
_ZERO_RATE: Final = "Z"


def e_invoice(invoice: InvoiceDocument) -> bytes | None:
    """The XML of an invoice; a credit note says in positive amounts what it gives back. Raises UnfitText.

    None for an invoice of which EN 16931 demands what it does not have: a VAT number of the supplier, and of the
    recipient for reverse charge, with the code of a country before it; a country of the recipient; lines.
    """
    recipient = invoice.printable_recipient
    numbers = [invoice.supplier.vat_number]
    if any(invoice.posture(line) is VatPosture.REVERSE_CHARGE for line in invoice.content["lines"]):
        numbers.append(recipient.vat_number)
    if not all(map(_has_prefix, numbers)) or recipient.country not in countries() or not invoice.content["lines"]:
        return None
    return document(
        element(
            "rsm:CrossIndustryInvoice",
            element(
                "rsm:ExchangedDocumentContext",
                element("ram:GuidelineSpecifiedDocumentContextParameter", element("ram:ID", PROFILE)),
            ),
            element(
                "rsm:ExchangedDocument",
                element("ram:ID", invoice.number),
                element("ram:TypeCode", _TYPE_CODES[invoice.kind]),
                day("ram:IssueDateTime", invoice.issued_on),
                element("ram:IncludedNote", element("ram:Content", invoice.content.get("reason"))),
            ),
            element(
                "rsm:SupplyChainTradeTransaction",
                *_lines(invoice),
                _agreement(invoice),
                element(
                    "ram:ApplicableHeaderTradeDelivery",
                    element(
                        "ram:ActualDeliverySupplyChainEvent",
                        day("ram:OccurrenceDateTime", Month.parse(invoice.content["period"]).last),
                    ),
                ),
                _settlement(invoice),
            ),
        )
    )


def _lines(invoice: InvoiceDocument) -> Iterator[ET.Element | None]:
    for position, line in enumerate(invoice.content["lines"], start=1):
        category = _category(invoice.posture(line), line["vat_rate"])
        yield e_invoice_line(position, line, _signed(invoice, line["amount"]), category, invoice.language)


def _agreement(invoice: InvoiceDocument) -> ET.Element | None:
    supplier, recipient, org = invoice.supplier, invoice.printable_recipient, invoice.content["org"]
    return element(
        "ram:ApplicableHeaderTradeAgreement",
        element(
            "ram:SellerTradeParty",
            element("ram:Name", supplier.address.name),
            _postal(supplier.address),
            element("ram:URIUniversalCommunication", element("ram:URIID", supplier.email, schemeID="EM")),
            _vat_number(supplier.vat_number),
        ),
        element(
            "ram:BuyerTradeParty",
            element("ram:ID", org),
            element("ram:Name", recipient.name or org),
            _postal(recipient),
            _vat_number(recipient.vat_number) if _has_prefix(recipient.vat_number) else None,
        ),
        element("ram:BuyerOrderReferencedDocument", element("ram:IssuerAssignedID", recipient.purchase_order)),
    )


def _settlement(invoice: InvoiceDocument) -> ET.Element | None:
    content, payment = invoice.content, invoice.payment
    net, gross = _signed(invoice, content["net"]), _signed(invoice, content["gross"])
    return element(
        "ram:ApplicableHeaderTradeSettlement",
        None if payment is None else element("ram:PaymentReference", payment.reference),
        element("ram:InvoiceCurrencyCode", content["currency"]),
        None if payment is None else _means(payment.iban),
        *_vat(invoice),
        period(*invoice.period),
        _terms(invoice),
        element(
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
            element("ram:LineTotalAmount", amount_text(net)),
            element("ram:TaxBasisTotalAmount", amount_text(net)),
            element("ram:TaxTotalAmount", amount_text(gross - net), currencyID=content["currency"]),
            element("ram:GrandTotalAmount", amount_text(gross)),
            element("ram:DuePayableAmount", amount_text(gross)),
        ),
        *(
            element("ram:InvoiceReferencedDocument", element("ram:IssuerAssignedID", number))
            for number in _preceding(invoice)
        ),
    )


def _preceding(invoice: InvoiceDocument) -> list[str]:
    """The invoices that this one puts right (BG-3): what it credits, or what its adjustments are about."""
    credited = [invoice.content["credits"]] if "credits" in invoice.content else []
    adjusted = (line["original_invoice"] for line in invoice.content["lines"] if "original_invoice" in line)
    return list(dict.fromkeys([*credited, *adjusted]))


def _means(iban: str) -> ET.Element | None:
    return element(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        element("ram:TypeCode", _CREDIT_TRANSFER),
        element("ram:PayeePartyCreditorFinancialAccount", element("ram:IBANID", iban)),
    )


def _terms(invoice: InvoiceDocument) -> ET.Element | None:
    """How to pay, as the page says it, and until when where there is something to pay."""
    words = WORDS[invoice.language]
    is_payable = Decimal(invoice.content["gross"]) > 0
    unpayable = words.credited if invoice.kind is Kind.CREDIT_NOTE else words.nothing_payable
    said = words.payable.format(due_on=written_date(invoice.due_on)) if is_payable else unpayable
    return element(
        "ram:SpecifiedTradePaymentTerms",
        element("ram:Description", said),
        day("ram:DueDateDateTime", invoice.due_on) if is_payable else None,
    )


def _vat(invoice: InvoiceDocument) -> Iterator[ET.Element | None]:
    """What all lines of one rate come to, the tax on it, and why there is none: of each reason for itself (BG-23)."""
    nets: dict[tuple[str, VatPosture], list[Decimal]] = {}
    for line in invoice.content["lines"]:
        nets.setdefault((line["vat_rate"], invoice.posture(line)), []).append(_signed(invoice, line["amount"]))
    words = WORDS[invoice.language]
    for total in invoice.content["vat"]:
        for (rate, posture), amounts in nets.items():
            if rate == total["rate"]:
                yield element(
                    "ram:ApplicableTradeTax",
                    element("ram:CalculatedAmount", amount_text(_signed(invoice, total["amount"]))),
                    element("ram:TypeCode", "VAT"),
                    element("ram:ExemptionReason", words.postures.get(posture)),
                    element("ram:BasisAmount", amount_text(exact_sum(amounts))),
                    element("ram:CategoryCode", _category(posture, rate)),
                    element("ram:RateApplicablePercent", rate),
                )


def _category(posture: VatPosture, rate: str) -> str:
    """The VAT category of a posture; who pays VAT may do so at a rate of 0."""
    return _NO_VAT.get(posture) or (_STANDARD_RATE if Decimal(rate) else _ZERO_RATE)


def _signed(invoice: InvoiceDocument, amount: str) -> Decimal:
    """An amount as the document's type counts it: a credit note counts what it gives back."""
    return -Decimal(amount) if invoice.kind is Kind.CREDIT_NOTE else Decimal(amount)


def _postal(party: PostalAddress | Recipient) -> ET.Element | None:
    return element(
        "ram:PostalTradeAddress",
        element("ram:PostcodeCode", party.postcode),
        element("ram:LineOne", " ".join(part for part in (party.street, party.house_number) if part)),
        element("ram:CityName", party.town),
        element("ram:CountryID", party.country),
    )


def _vat_number(number: str | None) -> ET.Element | None:
    return element("ram:SpecifiedTaxRegistration", element("ram:ID", number, schemeID="VA"))


def _has_prefix(number: str | None) -> bool:
    """Whether a VAT number says of which country it is (BR-CO-09)."""
    return number is not None and number[:2] in vat_prefixes()
