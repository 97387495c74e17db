"""Whole invoices of made-up customers, reviewed as diffs."""

import re
from decimal import Decimal

import pytest

from tests.customers import CUSTOMERS, PRINTED
from tests.golden_invoices import FOLDER, files, invoice_document


def test_invoices_and_their_pages_are_the_committed_ones() -> None:
    made = dict(files())
    assert sorted(made) == sorted(path.name for path in FOLDER.iterdir())
    changed = [name for name, content in made.items() if content != (FOLDER / name).read_text(encoding="utf-8")]
    assert changed == [], "if this is meant: python -m tests.golden"


@pytest.mark.parametrize("name", PRINTED)
def test_printed_lines_sum_to_net_and_net_and_vat_to_the_total(name: str) -> None:
    page = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").replace("−", "-").replace("’", "")
    amount = r"(-?\d+\.\d\d)"
    lines = re.findall(rf" [\d.]+ (0|7\.7|8\.1) {amount}$", page, re.MULTILINE)
    vat = re.findall(rf"^(0|7\.7|8\.1) {amount} {amount}$", page, re.MULTILINE)
    total = re.findall(rf"^Total\w* CHF {amount}$", page, re.MULTILINE)
    assert len(lines) == len(invoice_document(CUSTOMERS[name]).content["lines"])
    for rate, net, _ in vat:
        assert sum(Decimal(line) for of_rate, line in lines if of_rate == rate) == Decimal(net)
    assert [sum(Decimal(net) + Decimal(tax) for _, net, tax in vat)] == [Decimal(one) for one in total]


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
