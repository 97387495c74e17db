"""Rounding and the way numbers are written; the vectors are those of Swiss practice."""

from decimal import Decimal

import pytest

from pieced_billing.money import (
    amount_text,
    distribute,
    exact_product,
    exact_sum,
    number_text,
    price_text,
    round_half_away,
)


@pytest.mark.parametrize(
    ("net", "rate", "vat"),
    [
        ("5.00", "8.1", "0.41"),
        ("25.00", "8.1", "2.03"),
        ("123.45", "8.1", "10.00"),
        ("38.70", "8.1", "3.13"),
        ("0.60", "8.1", "0.05"),
        ("-5.00", "8.1", "-0.41"),
        ("51.00", "7.7", "3.93"),
        ("39.00", "8.1", "3.16"),
        ("603.28", "7.7", "46.45"),
        ("596.72", "8.1", "48.33"),
    ],
)
def test_rule_15_vat_is_rounded_half_away_from_zero(net: str, rate: str, vat: str) -> None:
    assert round_half_away(Decimal(net) * Decimal(rate), 100) == Decimal(vat)


@pytest.mark.parametrize(
    ("price", "days", "of_days", "amount"),
    [
        ("49.90", 17, 31, "27.36"),
        ("49.90", 1, 28, "1.78"),
        ("49.90", 1, 29, "1.72"),
        ("49.90", 1, 30, "1.66"),
        ("49.90", 1, 31, "1.61"),
        ("31.00", 15, 29, "16.03"),
        ("49.90", 10, 31, "16.10"),
        ("49.90", 11, 31, "17.71"),
        ("1200.00", 184, 366, "603.28"),
        ("1200.00", 182, 366, "596.72"),
    ],
)
def test_rule_12_a_share_is_the_product_divided_and_rounded_once(
    price: str, days: int, of_days: int, amount: str
) -> None:
    assert round_half_away(Decimal(price) * days, of_days) == Decimal(amount)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.00499999999999999999", "0.00"), ("-0.004", "0.00"), ("2.675", "2.68")],
)
def test_rule_12_a_half_goes_away_from_zero(value: str, rounded: str) -> None:
    assert amount_text(round_half_away(Decimal(value))) == rounded


def test_sums_and_products_keep_every_digit() -> None:
    large, small = Decimal(123456789012345678901234567890), Decimal("0.000000000000000001")
    assert str(exact_sum([large, small])) == "123456789012345678901234567890.000000000000000001"
    assert str(exact_product(large, small)) == "123456789012.345678901234567890"


@pytest.mark.parametrize(
    ("amount", "text"), [("12.34", "12.34"), ("12", "12.00"), ("123", "123.00"), ("1.5", "1.50"), ("-1E+2", "-100.00")]
)
def test_an_amount_has_two_decimals(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text


def test_what_is_left_of_a_total_goes_to_the_largest_remainder() -> None:
    weights = [Decimal("2.00"), Decimal("1.00"), Decimal("0.00")]
    assert distribute(Decimal("0.05"), weights) == [Decimal("0.03"), Decimal("0.02"), Decimal(0)]


@pytest.mark.parametrize(
    ("price", "text"),
    [("99", "99.00"), ("0.1", "0.10"), ("0.005", "0.005"), ("0.00500", "0.005"), ("1E+2", "100.00"), ("0", "0.00")],
)
def test_a_unit_price_has_at_least_two_decimals(price: str, text: str) -> None:
    assert price_text(Decimal(price)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.2345670", "1.234567"),
        ("12", "12"),
        ("120", "120"),
        ("8.10", "8.1"),
        ("-0.0", "0"),  # before 0.00, which equals it, and whose text is remembered
        ("0.00", "0"),
        ("-1.50", "-1.5"),
        ("1E+3", "1000"),
        ("0.000000000000000001", "0.000000000000000001"),
    ],
)
def test_a_number_has_no_exponent_and_no_trailing_zeros(number: str, text: str) -> None:
    assert number_text(Decimal(number)) == text
