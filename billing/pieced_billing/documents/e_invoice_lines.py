"""The lines of an e-invoice (EN 16931, BG-25)."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.documents.charge_name import charge_name, is_share_of_month
from pieced_billing.documents.cii import element, period, quantity
from pieced_billing.documents.words import WORDS
from pieced_billing.money import amount_text, exact_product, number_text, round_half_away

_DAY: Final = "DAY"
_PIECE: Final = "C62"


class _Price(NamedTuple):
    """What was charged: `quantity` at `unit_price` for every `basis` of `unit`."""

    quantity: Decimal
    unit_price: Decimal
    basis: int
    unit: str


def e_invoice_line(
    position: int, line: Mapping[str, Any], amount: Decimal, category: str, language: str
) -> ET.Element | None:
    """A line in the interchange format, at its position from 1, over `amount` CHF of a VAT category (UNTDID 5305)."""
    price = _price(line, amount)
    basis = None if price.basis == 1 else quantity("ram:BasisQuantity", Decimal(price.basis), price.unit)
    return element(
        "ram:IncludedSupplyChainTradeLineItem",
        element("ram:AssociatedDocumentLineDocument", element("ram:LineID", str(position))),
        element(
            "ram:SpecifiedTradeProduct",
            element("ram:Name", charge_name(line, WORDS[language], str)),
            element("ram:Description", line["tenant"]),
        ),
        element(
            "ram:SpecifiedLineTradeAgreement",
            element("ram:NetPriceProductTradePrice", element("ram:ChargeAmount", number_text(price.unit_price)), basis),
        ),
        element("ram:SpecifiedLineTradeDelivery", quantity("ram:BilledQuantity", price.quantity, price.unit)),
        element(
            "ram:SpecifiedLineTradeSettlement",
            element(
                "ram:ApplicableTradeTax",
                element("ram:TypeCode", "VAT"),
                element("ram:CategoryCode", category),
                element("ram:RateApplicablePercent", line["vat_rate"]),
            ),
            period(date.fromisoformat(line["service_from"]), date.fromisoformat(line["service_to"])),
            element(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                element("ram:LineTotalAmount", amount_text(amount)),
            ),
        ),
    )


def _price(line: Mapping[str, Any], amount: Decimal) -> _Price:
    """Quantity and price, of which recipients expect that their product is the amount.

    Where it is not, as of a difference between two rounded amounts, the whole is one piece. No price is below zero
    (BR-27): the quantity has the sign of the amount. A monthly fee is the price of as many days as its month has.
    """
    basis = Month.of(date.fromisoformat(line["service_from"])).last.day if is_share_of_month(line) else 1
    billed = abs(Decimal(line["quantity"])).copy_sign(amount)
    unit_price = Decimal(line["unit_price"])
    if round_half_away(exact_product(billed, unit_price), basis) != amount:
        return _Price(Decimal(1).copy_sign(amount), abs(amount), 1, _PIECE)
    return _Price(billed, unit_price, basis, _DAY if line["unit"] == "day" else _PIECE)
