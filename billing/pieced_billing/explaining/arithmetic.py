"""How an amount comes about, in figures: the formula, its value before it is rounded, and the rule that rounds it."""

from decimal import Decimal
from typing import Final, NamedTuple

from pieced_billing.money import amount_text, exact_product, number_text, price_text

ROUNDED: Final = "half away from zero to 0.01"
"""The one rounding that there is (rules 12 and 15)."""
_SHOWN_PLACES: Final = 6


class Arithmetic(NamedTuple):
    """`unrounded` ends with … where it has more decimals; it and `rule` are None where nothing is rounded."""

    formula: str
    unrounded: str | None = None
    rule: int | None = None

    def document(self) -> dict[str, str | None]:
        """The same as JSON values."""
        return {
            "formula": self.formula,
            "unrounded": self.unrounded,
            "rounding": None if self.rule is None else f"{ROUNDED} (rule {self.rule})",
        }


def fee(price: Decimal) -> Arithmetic:
    """A fee that is charged once is its price."""
    return Arithmetic(amount_text(price))


def product(price: Decimal, quantity: Decimal) -> Arithmetic:
    """A price times a quantity (rule 12)."""
    exact = exact_product(price, quantity)
    return Arithmetic(f"{price_text(price)} × {number_text(quantity)}", unrounded(exact), 12)


def days_of_month(price: Decimal, quantity: Decimal, days: int) -> Arithmetic:
    """A monthly price for some of the days of the month (rule 12)."""
    formula = f"{price_text(price)} × {number_text(quantity)} ÷ {days}"
    return Arithmetic(formula, unrounded(exact_product(price, quantity), days), 12)


def vat(net: Decimal, rate: Decimal) -> Arithmetic:
    """A percentage of the net amounts of a rate (rule 15)."""
    formula = f"{amount_text(net)} × {number_text(rate)} ÷ 100"
    return Arithmetic(formula, unrounded(exact_product(net, rate), 100), 15)


def difference(correct: Decimal, billed: Decimal) -> Arithmetic:
    """What is right less what was billed: both are rounded already (rule 17)."""
    return Arithmetic(f"{amount_text(correct)} − {amount_text(billed)}".replace("− -", "+ "))


def unrounded(numerator: Decimal, divisor: int = 1) -> str:
    """A quotient to six decimals, with … where it goes on.

    >>> unrounded(Decimal("49.90") * 12, 31)
    '19.316129…'
    """
    above, below = numerator.as_integer_ratio()
    digits, rest = divmod(abs(above) * 10**_SHOWN_PLACES, below * divisor)
    whole, decimals = divmod(digits, 10**_SHOWN_PLACES)
    text = f"{'-' if above < 0 else ''}{whole}.{decimals:0{_SHOWN_PLACES}}"
    return f"{text}…" if rest else number_text(Decimal(text))
