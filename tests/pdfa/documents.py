"""Documents of every kind, by name: in each language, with and without what a document can have."""

from typing import Any, Final

from pieced_billing.documents.pdf import render
from pieced_billing.invoicing.document import Kind
from pieced_billing.parties.organisation import LANGUAGES
from pieced_billing.parties.postal_address import LIMITS
from tests.invoice_documents import ACME, a_line, an_invoice, supplier

_WIDEST: Final = {name: "W" * longest for name, longest in LIMITS.items()} | {"country": "CH"}
_CREDITED: Final[dict[str, Any]] = {
    "lines": [a_line(quantity="-5", amount="-137.10")],
    "net": "-137.10",
    "vat": [{"rate": "8.1", "net": "-137.10", "amount": "-11.11"}],
    "gross": "-148.21",
    "credits": "INV-2026-000007",
    "reason": "Falsche Adresse 🏔",
}


def documents() -> dict[str, bytes]:
    """Documents that conform."""
    several_pages = [a_line(f"tenant-{number:02}") for number in range(30) for _ in range(3)]
    without_vat: dict[str, Any] = {"vat_posture": "export", "vat": [{"rate": "0", "net": "148.21", "amount": "0.00"}]}
    invoices = {
        **{f"invoice-{language}": an_invoice(language) for language in LANGUAGES},
        **{
            f"credit-note-{language}": an_invoice(language, kind=Kind.CREDIT_NOTE, **_CREDITED)
            for language in LANGUAGES
        },
        "several-pages": an_invoice(lines=several_pages),
        "nothing-to-pay": an_invoice(gross="0.00"),
        "without-e-invoice": an_invoice("fr", issuer=supplier(vat_number=None)),
        "payer-by-hand": an_invoice("it", recipient={"name": "Rat GmbH", "town": "Berlin"}),
        "export": an_invoice("en", recipient=ACME | {"country": "DE"}, **without_vat),
        "widest": an_invoice("fr", recipient=_WIDEST, gross="999999999.99"),
        "other-letters": an_invoice(lines=[a_line("Ωμέγα Київ Łódź □ 🏔 שלום")]),
    }
    return {name: render(invoice) for name, invoice in invoices.items()}


def broken_documents() -> dict[str, bytes]:
    """Documents that break a rule of both standards: a check that finds nothing in them finds nothing at all."""
    made = render(an_invoice(issuer=supplier(vat_number=None)))
    assert made.count(b"/Marked true") == 1
    return {"not-marked-as-tagged": made.replace(b"/Marked true", b"/Marked null")}
