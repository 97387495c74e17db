"""What each charge of a tenant UID should have come to, and what bills and credit notes made it: by documents alone."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from tests.oracle.bill import Books, Question, bill

Charge: TypeAlias = tuple[str, ...]
"""Month of service, UID, kind, package or nothing, unit price and VAT rate."""


def owed(books: Books, questions: Iterable[Question]) -> dict[Charge, Fraction]:
    """The amounts of these months if all of that is known from the beginning."""
    documents = [bill(books, question) for question in questions]
    return _sums((_charge(document, line), line) for document in documents for line in document["lines"])


def charged(documents: Mapping[str, Mapping[str, Any]]) -> dict[Charge, Fraction]:
    """The amounts of documents by number: bills with their adjustments, less what credit notes take back of them."""
    found = []
    for document in documents.values():
        for line in document["lines"]:
            if "credits" in document:
                credited = documents[document["credits"]]
                charge = _charge(credited, credited["lines"][line["original_line"] - 1])
            else:
                charge = _charge(document, line)
            found.append((charge, line))
    return _sums(found)


def _charge(document: Mapping[str, Any], line: Mapping[str, Any]) -> Charge:
    kind = line.get("adjusts", line["kind"])
    month = line.get("carried_from", line.get("original_period", document["period"]))
    return (month, line["uid"], kind, line["package"] or "", line["unit_price"], line["vat_rate"])


def _sums(lines: Iterable[tuple[Charge, Mapping[str, Any]]]) -> dict[Charge, Fraction]:
    """Sums other than 0."""
    sums: dict[Charge, Fraction] = {}
    for charge, line in lines:
        sums[charge] = sums.get(charge, Fraction(0)) + Fraction(line["amount"])
    return {charge: amount for charge, amount in sums.items() if amount}
