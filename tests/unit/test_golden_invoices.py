"""Whole invoices of made-up customers, reviewed as diffs."""

from decimal import Decimal

from tests.customers import CUSTOMERS
from tests.golden_invoices import FOLDER, files, invoice_document


def test_invoices_and_their_pages_are_the_committed_ones() -> None:
    made = dict(files())
    assert sorted(made) == sorted(path.name for path in FOLDER.iterdir())
    changed = [name for name, content in made.items() if content != (FOLDER / name).read_text(encoding="utf-8")]
    assert changed == [], "if this is meant: python -m tests.golden"


def test_customers_differ_in_language_rate_and_sign() -> None:
    documents = [invoice_document(customer) for customer in CUSTOMERS.values()]
    assert {document.language for document in documents} == {"de", "en", "fr", "it"}
    assert {document.content["vat_posture"] for document in documents} == {
        "standard",
        "export",
        "reverse_charge",
        "exempt",
    }
    assert {vat["rate"] for document in documents for vat in document.content["vat"]} == {"0", "7.7", "8.1"}
    gross = [Decimal(document.content["gross"]) for document in documents]
    assert (min(gross) < 0, 0 in gross, max(gross) > 0) == (True, True, True)
