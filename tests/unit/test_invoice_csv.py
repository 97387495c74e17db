"""Lines of invoices as CSV, which people open in spreadsheet programs."""

import csv
import io

import pytest

from pieced_billing.documents.export import csv_of
from tests.invoice_documents import ACME, NUMBER, a_line

INVOICE = {
    "number": NUMBER,
    "kind": "invoice",
    "issued_on": "2026-04-01",
    "due_on": "2026-05-01",
    "org": "310001",
    "recipient": ACME,
    "period": "2026-03",
    "currency": "CHF",
    "gross": "148.21",
}


def rows(*lines: dict[str, str], name: str | None = "Acme AG") -> list[dict[str, str]]:
    written = "".join(csv_of([{**INVOICE, "recipient": {**ACME, "name": name}, "lines": lines}]))
    return list(csv.DictReader(io.StringIO(written, newline="")))


def test_each_line_is_a_row() -> None:
    first, second = rows(a_line(), a_line("beta", package=None, amount="-5.00"))
    assert list(first.values()) == [
        *(NUMBER, "invoice", "2026-04-01", "2026-05-01", "310001", "Acme AG", "2026-03", "CHF", "148.21"),
        *("1", "acme", "uid-of-acme", "package_days", "search", "2026-03-01", "2026-03-05"),
        *("day", "5", "27.42", "8.1", "137.10"),
    ]
    assert (second["line"], second["tenant"], second["package"], second["amount"]) == ("2", "beta", "", "-5.00")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_is_a_formula(text: str) -> None:
    (row,) = rows(a_line(text, package=text), name=text)
    assert [row["recipient"], row["tenant"], row["package"]] == [f"'{text}"] * 3


def test_quotes_commas_and_line_breaks_stay_in_their_cell() -> None:
    text = 'a "b", c\r\nd'
    (row,) = rows(a_line(text), name=text)
    assert (row["recipient"], row["tenant"]) == (text, text)
    assert rows(a_line(), name=None)[0]["recipient"] == ""
