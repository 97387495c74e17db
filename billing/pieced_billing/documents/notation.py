"""Amounts and dates as Swiss readers write them, on pages and in letters."""

from datetime import date


def written_date(day: date) -> str:
    """A date by day, month and year."""
    return f"{day:%d.%m.%Y}"


def written_period(first: date, last: date) -> str:
    """A period by its first and last day, inclusive; one day by itself."""
    return written_date(first) if first == last else f"{written_date(first)} – {written_date(last)}"


def written_number(number: str) -> str:
    """An amount, a price or a quantity of the interchange format.

    >>> written_number("-1234567.50")
    '−1’234’567.50'
    """
    whole, point, decimals = number.lstrip("-").partition(".")
    sign = "−" if number.startswith("-") else ""
    return f"{sign}{int(whole):,}".replace(",", "’") + point + decimals
