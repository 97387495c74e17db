"""VAT and totals: which lines each is the sum of, and how it is rounded (rule 15)."""

from decimal import Decimal
from typing import Any, NamedTuple

from pieced_billing.explaining.arithmetic import Arithmetic, vat
from pieced_billing.explaining.issued import Issued
from pieced_billing.money import amount_text, exact_product, exact_sum, number_text, round_half_away


class VatExplained(NamedTuple):
    """The tax of one rate. `is_rest` of a credit note's: not the percentage, but what was left of the invoice's tax."""

    rate: Decimal
    positions: tuple[int, ...]
    net: Decimal
    amount: Decimal
    arithmetic: Arithmetic
    is_rest: bool

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "rate": number_text(self.rate),
            "net": amount_text(self.net),
            "amount": amount_text(self.amount),
            "lines": list(self.positions),
            **self.arithmetic.document(),
            "is_rest": self.is_rest,
        }


class Totals(NamedTuple):
    """The tax by rate, and in what the sums differ from those of the lines: nothing, unless something was changed."""

    vat: tuple[VatExplained, ...]
    differences: tuple[str, ...]


def explain_totals(issued: Issued) -> Totals:
    """What VAT and totals of a document come from: its lines as they are stored."""
    stated = {Decimal(one["rate"]): one for one in issued.content["vat"]}
    rates = sorted({one.line.vat_rate for one in issued.lines} | stated.keys())
    explained = tuple(_vat(issued, rate, Decimal(stated.get(rate, {}).get("amount", "0.00"))) for rate in rates)
    net = exact_sum(one.line.amount for one in issued.lines)
    tax = exact_sum(one.amount for one in explained)
    expected = {"net": net, "vat": tax, "gross": exact_sum([net, tax])}
    sums = [
        f"{name} is {amount_text(stored)}, its parts add up to {amount_text(value)}"
        for name, value in expected.items()
        if value != (stored := getattr(issued, name))
    ]
    document = [
        f"{name} is {amount_text(getattr(issued, name))}, the document says {issued.content[name]}"
        for name in ("net", "gross")
        if issued.content[name] != amount_text(getattr(issued, name))
    ]
    taxes = [
        f"VAT of {number_text(one.rate)} % is {amount_text(one.amount)}, {one.arithmetic.formula} gives"
        f" {amount_text(round_half_away(exact_product(one.net, one.rate), 100))}"
        for one in explained
        if issued.credits is None and one.is_rest
    ]
    return Totals(explained, (*sums, *document, *taxes))


def _vat(issued: Issued, rate: Decimal, amount: Decimal) -> VatExplained:
    lines = [one for one in issued.lines if one.line.vat_rate == rate]
    net = exact_sum(one.line.amount for one in lines)
    is_rest = round_half_away(exact_product(net, rate), 100) != amount
    return VatExplained(rate, tuple(one.position for one in lines), net, amount, vat(net, rate), is_rest)
