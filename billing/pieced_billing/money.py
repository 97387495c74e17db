"""Amounts of Swiss francs: exact arithmetic, one rounding rule, and how numbers are written.

Money is `Decimal`. Nothing between the inputs of a line and its amount is rounded: sums and products are exact,
and the one rounding is `round_half_away` (rule 12).
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import lru_cache

ZERO = Decimal("0.00")
"""No francs, with the two decimals of an amount."""

_EXACT = Context(prec=2000, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])


def round_half_away(value: Decimal, divisor: int = 1, decimals: int = 2) -> Decimal:
    """`value` ÷ `divisor`, rounded once, to 0.01 if nothing else is said, half away from zero (rules 12 and 15).

    >>> round_half_away(Decimal("49.90") * 17, 31)
    Decimal('27.36')
    """
    numerator, denominator = value.as_integer_ratio()
    denominator *= divisor
    units = (2 * 10**decimals * abs(numerator) + denominator) // (2 * denominator)
    return Decimal(-units if numerator < 0 else units).scaleb(-decimals, _EXACT)


def exact_sum(values: Iterable[Decimal], start: Decimal = ZERO) -> Decimal:
    """The sum without rounding, however many digits it takes."""
    total = start
    for value in values:
        total = _EXACT.add(total, value)
    return total


def distribute(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """A total of whole Rappen in parts of whole Rappen that sum to it, in proportion to `weights` (largest remainder).

    The weights are amounts, too; their sum is above zero. No part of a total up to that sum is larger than its weight.

    >>> distribute(Decimal("0.05"), [Decimal("1.00"), Decimal("2.00")])
    [Decimal('0.02'), Decimal('0.03')]
    """
    shares = [_rappen(weight) for weight in weights]
    whole = sum(shares)
    products = [_rappen(total) * share for share in shares]
    parts = [product // whole for product in products]
    by_remainder = sorted(range(len(parts)), key=lambda index: -(products[index] % whole))
    for index in by_remainder[: _rappen(total) - sum(parts)]:
        parts[index] += 1
    return [Decimal(part).scaleb(-2, _EXACT) for part in parts]


def _rappen(amount: Decimal) -> int:
    """An amount of at most two decimals as a whole number of Rappen."""
    return int(amount.scaleb(2, _EXACT))


def exact_product(left: Decimal, right: Decimal) -> Decimal:
    """The product without rounding, however many digits it takes."""
    return _EXACT.multiply(left, right)


def amount_text(amount: Decimal) -> str:
    """An amount as the interchange formats write it: exactly two decimals, no exponent."""
    text = str(amount)
    return text if text[-3:-2] == "." else f"{amount:.2f}"  # what was rounded to 0.01 is written so already


@lru_cache(maxsize=10_000)
def price_text(price: Decimal) -> str:
    """A unit price as the interchange formats write it: at least two decimals, no further trailing zeros."""
    whole, _, decimals = f"{price:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


@lru_cache(maxsize=10_000)
def number_text(number: Decimal) -> str:
    """A quantity or a rate as the interchange formats write it: no exponent, no trailing zeros."""
    whole, _, decimals = f"{number:f}".partition(".")
    decimals = decimals.rstrip("0")
    if decimals:
        return f"{whole}.{decimals}"
    return "0" if whole == "-0" else whole
