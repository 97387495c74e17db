"""Finalised invoices as values, and what a reader sees of their PDF."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from typing import Any

import pypdfium2
import zxingcpp

from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.invoicing.document import Kind
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.postal_address import PostalAddress

NUMBER = "INV-2026-000001"
QR_IBAN, IBAN = "CH4431999123000889012", "CH9300762011623852957"
PIECED = PostalAddress("Pieced AG", "Lagerstrasse", "4", "8004", "Zürich", "CH")
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><circle cx="2" cy="2" r="2" fill="#0b6e4f"/></svg>'
ACME = {
    "name": "Acme AG",
    "street": "Bahnhofstrasse",
    "house_number": "1",
    "postcode": "8001",
    "town": "Zürich",
    "country": "CH",
}
MM_PER_POINT = 25.4 / 72
PIXELS_PER_POINT = 4


VAT_NUMBER = "CHE-107.787.577 MWST"


def supplier(
    iban: str = QR_IBAN, address: PostalAddress = PIECED, vat_number: str | None = VAT_NUMBER
) -> IssuingEntity:
    return IssuingEntity(IssuingTerms(), address, iban, vat_number, "billing@pieced.example", "#0b6e4f", LOGO)


def a_line(tenant: str = "acme", **fields: Any) -> dict[str, Any]:
    """A line in the interchange format: five days of a package, or what `fields` say."""
    return {
        "tenant": tenant,
        "uid": f"uid-of-{tenant}",
        "kind": "package_days",
        "package": "search",
        "service_from": "2026-03-01",
        "service_to": "2026-03-05",
        "quantity": "5",
        "unit": "day",
        "unit_price": "27.42",
        "vat_rate": "8.1",
        "amount": "137.10",
    } | fields


def an_invoice(
    language: str = "de",
    recipient: Mapping[str, str | None] | None = None,
    issuer: IssuingEntity | None = None,
    kind: Kind = Kind.INVOICE,
    **content: Any,
) -> InvoiceDocument:
    """An invoice of CHF 148.21 for March 2026, or of what `content` says."""
    frozen = {
        "org": "310001",
        "period": "2026-03",
        "currency": "CHF",
        "vat_posture": "standard",
        "lines": [a_line()],
        "net": "137.10",
        "vat": [{"rate": "8.1", "net": "137.10", "amount": "11.11"}],
        "gross": "148.21",
        "warnings": [],
    } | content
    return InvoiceDocument(
        kind=kind,
        number=NUMBER,
        issued_on=date(2026, 4, 1),
        due_on=date(2026, 5, 1),
        language=language,
        recipient=ACME if recipient is None else recipient,
        content=frozen,
        supplier=issuer or supplier(),
    )


@contextmanager
def opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """A PDF, closed afterwards."""
    with closing(pypdfium2.PdfDocument(pdf)) as document:
        yield document


def texts(pdf: bytes) -> list[str]:
    """What each page says."""
    with opened(pdf) as document:
        return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document]


def codes(pdf: bytes) -> list[list[zxingcpp.Barcode]]:
    """What a scanner finds on each page, printed at 288 dots per inch."""
    with opened(pdf) as document:
        return [_scanned(page) for page in document]


def _scanned(page: pypdfium2.PdfPage) -> list[zxingcpp.Barcode]:
    bitmap = page.render(scale=PIXELS_PER_POINT, grayscale=True)
    picture = memoryview(bitmap.buffer).cast("B", (bitmap.height, bitmap.stride))
    return zxingcpp.read_barcodes(picture)
