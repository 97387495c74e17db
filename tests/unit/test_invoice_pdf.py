"""The PDF of an invoice, as a scanner and a reader see it."""

import io
import re
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pikepdf
import pytest
from lxml import etree

from pieced_billing.documents import pdf
from pieced_billing.documents.e_invoice import e_invoice
from pieced_billing.documents.factur_x import embedded_e_invoice
from pieced_billing.documents.pdf import render
from pieced_billing.documents.slip_words import SLIP_WORDS
from pieced_billing.documents.words import WORDS
from pieced_billing.invoicing.document import Kind
from pieced_billing.parties.organisation import LANGUAGES
from pieced_billing.parties.payment_text import UnfitText
from pieced_billing.parties.postal_address import LIMITS, PostalAddress
from pieced_billing.parties.terms import VatPosture
from pieced_billing.rating.charges import CHARGES
from tests.invoice_documents import (
    IBAN,
    MM_PER_POINT,
    NUMBER,
    PIXELS_PER_POINT,
    a_line,
    an_invoice,
    codes,
    opened,
    supplier,
    texts,
)

A4_MM = (210, 297)
PDFA_SCHEMA, PDFA_PROPERTY = (f"http://www.aiim.org/pdfa/ns/{kind}#" for kind in ("schema", "property"))
NOTHING_TO_PAY: dict[str, Any] = {
    "net": "0.00",
    "vat": [{"rate": "8.1", "net": "0.00", "amount": "0.00"}],
    "gross": "0.00",
}


ADJUSTED: dict[str, Any] = {
    "kind": "adjustment",
    "original_invoice": NUMBER,
    "billed": "1200.00",
    "correct": "1200.00",
    "amount": "0.00",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_on_the_page_says_what_the_words_beside_it_say(language: str) -> None:
    invoice = an_invoice(language)
    made = render(invoice)
    ((code,),) = codes(made)
    assert invoice.payment is not None
    assert code.bytes.decode() == invoice.payment.payload
    (page,) = texts(made)
    prescribed = [getattr(SLIP_WORDS[language], field.name) for field in fields(SLIP_WORDS[language])]
    assert [words for words in prescribed[:9] + prescribed[10:11] if words not in page] == []
    assert page.count("CH44 3199 9123 0008 8901 2") == page.count("00 00000 00000 00002 02600 00018") == 3
    for shown in (
        WORDS[language].titles[Kind.INVOICE].format(number=NUMBER),
        "01.04.2026",
        "01.05.2026",
        "01.03.2026 – 31.03.2026",
    ):
        assert shown in page


def test_the_code_is_46_mm_wide_where_the_guidelines_have_it() -> None:
    ((code,),) = codes(render(an_invoice()))
    corners = (code.position.top_left, code.position.bottom_right)
    places = [at * MM_PER_POINT / PIXELS_PER_POINT for corner in corners for at in (corner.x, corner.y)]
    slip_top = A4_MM[1] - 105
    assert places == pytest.approx([67, slip_top + 17, 67 + 46, slip_top + 17 + 46], abs=0.4)


def test_an_ordinary_account_has_a_creditor_reference() -> None:
    ((code,),) = codes(render(an_invoice(issuer=supplier(IBAN))))
    assert code.bytes.decode().split("\n")[27:29] == ["SCOR", "RF94INV2026000001"]


@pytest.mark.parametrize("gross", ["0.00", "-148.21"])
def test_nothing_to_pay_has_no_payment_part(gross: str) -> None:
    made = render(an_invoice(**NOTHING_TO_PAY | {"gross": gross}))
    assert codes(made) == [[]]
    (page,) = texts(made)
    assert "Es ist nichts zu bezahlen." in page
    assert "Zahlteil" not in page
    assert f"Total CHF {gross.replace('-', '−')}" in page


def test_the_same_invoice_gives_the_same_bytes_in_any_process() -> None:
    invoice = an_invoice()
    made = render(invoice)
    assert render(an_invoice("fr")) != made
    pdf._compiler.cache_clear()
    assert render(invoice) == made
    assert render(replace(invoice, issued_on=date(2026, 4, 2))) != made


def test_it_is_archivable_and_accessible() -> None:
    made = render(an_invoice("fr"))
    with opened(made) as document:
        assert document.is_tagged()
        assert document.get_metadata_value("Title") == f"Facture {NUMBER}"
        assert document.get_metadata_value("CreationDate") == "D:20260401000000Z"
    standards = dict(re.findall(rb"<(pdfaid:part|pdfaid:conformance|pdfuaid:part)>(\w+)<", made))
    assert standards == {b"pdfaid:part": b"3", b"pdfaid:conformance": b"A", b"pdfuaid:part": b"1"}
    assert b"/Lang(fr-CH)" in made or b"/Lang (fr-CH)" in made


def test_the_e_invoice_is_in_it_as_factur_x_wants_it() -> None:
    invoice = an_invoice()
    made = render(invoice)
    assert embedded_e_invoice(made) == e_invoice(invoice)
    with pikepdf.open(io.BytesIO(made)) as document:
        (attached,) = document.Root.AF
        assert (str(attached.AFRelationship), str(attached.UF)) == ("/Alternative", "factur-x.xml")
        assert attached.EF.F.Subtype == "/text/xml"
        metadata = etree.fromstring(document.Root.Metadata.read_raw_bytes())
    fx = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
    of_invoice = {"DocumentType": "INVOICE", "DocumentFileName": "factur-x.xml", "Version": "1.0"}
    properties = of_invoice | {"ConformanceLevel": "EN 16931"}
    assert {name: metadata.findtext(f".//{{{fx}}}{name}") for name in properties} == properties
    (schema,) = metadata.iterfind(f".//{{{PDFA_SCHEMA}}}namespaceURI[.='{fx}']/..")
    assert schema.findtext(f"{{{PDFA_SCHEMA}}}prefix") == "fx"
    assert {name.text for name in schema.iter(f"{{{PDFA_PROPERTY}}}name")} == set(properties)


def test_an_invoice_that_cannot_have_an_e_invoice_has_a_pdf_all_the_same() -> None:
    made = render(an_invoice(issuer=supplier(vat_number=None)))
    assert embedded_e_invoice(made) is None
    assert len(codes(made)[0]) == 1


def test_every_charge_and_every_posture_without_vat_has_words_in_every_language() -> None:
    kinds = {charge.__name__ for charge in CHARGES}
    postures = {posture.value for posture in VatPosture} - {"standard"}
    assert set(WORDS) == set(SLIP_WORDS) == set(LANGUAGES)
    for words in WORDS.values():
        assert (set(words.charges), set(words.postures)) == (kinds | {"adjustment"}, postures)
        assert set(words.titles) == set(Kind)


def test_where_all_has_vat_nothing_says_that_there_is_none() -> None:
    (page,) = texts(render(an_invoice("en", vat_posture="export")))  # the customer left after the last line's days
    assert "no Swiss VAT" not in page


@pytest.mark.parametrize(
    ("language", "share"),
    [("de", "1 von 31 Tagen"), ("fr", "1 jour sur 31"), ("it", "1 giorno su 31"), ("en", "1 of 31 days")],
)
def test_a_day_of_a_month_is_one_day(language: str, share: str) -> None:
    (page,) = texts(render(an_invoice(language, lines=[a_line(kind="tenant_monthly_fee", package=None, quantity="1")])))
    assert share in page


def test_a_page_groups_lines_by_tenant_and_says_why_there_is_no_vat() -> None:
    fee: dict[str, Any] = {"kind": "tenant_monthly_fee", "package": None, "service_to": "2026-03-14", "quantity": "12"}
    spend: dict[str, Any] = {
        "kind": "llm_spend",
        "package": None,
        "quantity": "1.234567",
        "unit": "CHF",
        "service_to": "2026-03-01",
    }
    invoice = an_invoice(
        "en",
        vat_posture="export",
        lines=[
            a_line(**fee, unit_price="49.90", amount="1019.32", vat_rate="0"),
            a_line(**spend, unit_price="1.00", amount="1.23", vat_rate="0"),
            a_line("beta", quantity="1", vat_rate="0"),
            a_line("beta", **ADJUSTED, adjusts="package_days"),
        ],
        net="1157.65",
        vat=[{"rate": "0", "net": "1157.65", "amount": "0.00"}],
        gross="1157.65",
        recipient={"name": "Rat GmbH", "town": "Berlin", "purchase_order": "PO-4711", "vat_number": "DE 136695976"},
    )
    (page,) = texts(render(invoice))
    for row in (
        "Rat GmbH\nBerlin\n",
        "Your VAT number DE 136695976",
        "Your purchase order PO-4711",
        "Monthly fee 01.03.2026 – 14.03.2026 12 of 31 days 49.90 0 1’019.32",
        "Language models, as used 01.03.2026 CHF 1.234567 1.00 0 1.23",
        "Subtotal acme 1’020.55",
        "Package search 01.03.2026 – 05.03.2026 1 day 27.42 0 137.10",
        f"Adjustment {NUMBER}:",
        "correct 1’200.00)",
        "Subtotal beta 137.10",
        "0 1’157.65 0.00",
        "Total CHF 1’157.65",
        "no Swiss VAT.",
        "Payable by (name/address)",
        "1 157.65",
    ):
        assert row in page, f"{row!r} is not in\n{page}"


def test_a_credit_note_names_its_invoice_and_why_and_asks_for_nothing() -> None:
    taken: dict[str, Any] = {
        "net": "-137.10",
        "vat": [{"rate": "8.1", "net": "-137.10", "amount": "-11.11"}],
        "gross": "-148.21",
    }
    lines = [a_line(quantity="-5", amount="-137.10")]
    of_invoice: dict[str, Any] = {"credits": "INV-2026-000007", "reason": "Falsche Adresse 🏔"}
    made = render(an_invoice(kind=Kind.CREDIT_NOTE, lines=lines, **taken, **of_invoice))
    (page,) = texts(made)
    for shown in (
        f"Gutschrift {NUMBER}",
        "Zur Rechnung INV-2026-000007",
        "Grund Falsche Adresse □",
        "−137.10",
        "Total CHF −148.21",
        "Der Betrag wird Ihnen gutgeschrieben.",
    ):
        assert shown in page, f"{shown!r} is not in\n{page}"
    assert "Zahlbar" not in page
    assert codes(made) == [[]]


def test_a_long_invoice_has_its_headings_on_every_page_and_its_payment_part_on_the_last() -> None:
    made = render(an_invoice(lines=[a_line(f"tenant-{n:02}") for n in range(30) for _ in range(3)]))
    pages = texts(made)
    assert len(pages) > 3
    assert all("Leistung Zeitraum Menge Preis MWST % CHF" in page for page in pages[:-1])
    assert [f"Seite {n} von {len(pages)}" in page for n, page in enumerate(pages, start=1)] == [True] * len(pages)
    assert ["Zahlteil" in page for page in pages] == [False] * (len(pages) - 1) + [True]
    assert "\n".join(pages).count("Paket search 01.03.2026 – 05.03.2026 5 Tage 27.42 8.1 137.10") == 90
    assert [f"Zwischentotal tenant-{n:02} 411.30" in "".join(pages) for n in range(30)] == [True] * 30


def test_the_longest_addresses_stay_on_the_page_and_in_the_code() -> None:
    widest = {name: "W" * longest for name, longest in LIMITS.items()}
    issuer = supplier(address=PostalAddress(**widest))
    invoice = an_invoice(recipient=widest | {"purchase_order": "W" * 70}, issuer=issuer, gross="999999999.99")
    made = render(invoice)
    assert invoice.payment is not None
    assert [code.bytes.decode() for found in codes(made) for code in found] == [invoice.payment.payload]
    assert_on_paper(made)


@pytest.mark.parametrize(
    "hostile",
    ["a\x00b\x1b[31m\r\n", "x" * 5000, "🏔️" * 50, "\u202eשלום عالم", "#let x = [*_$\\"],
    ids=["control characters", "5,000 characters", "emoji", "right to left", "markup"],
)
def test_whatever_a_tenant_or_a_package_is_called_the_page_is_made(hostile: str) -> None:
    made = render(an_invoice(org=hostile, lines=[a_line(hostile, package=hostile, kind=hostile, unit=hostile)]))
    assert_on_paper(made)
    assert [len(found) for found in codes(made)][-1] == 1
    assert "148.21" in "".join(texts(made))


def test_a_recipient_that_cannot_be_printed_is_refused_with_the_field() -> None:
    for field in ("name", "street", "house_number", "postcode", "town", "vat_number", "purchase_order"):
        with pytest.raises(UnfitText, match=rf"^{field} has '🏔' "):
            render(an_invoice(recipient={field: "🏔"}))


def assert_on_paper(made: bytes) -> None:
    """No letter stands outside of its page, or nearer to its edge than printers print."""
    with opened(made) as document:
        for page in document:
            text, (width, height) = page.get_textpage(), page.get_size()
            for index in range(text.count_chars()):
                left, bottom, right, top = text.get_charbox(index)
                assert left >= 12 or right == left
                assert right <= width - 12
                assert bottom >= 12
                assert top <= height - 12
