"""Values of options that are more than text: a wrong one is one sentence and exit status 2."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import typer

from pieced_billing.calendar import FIRST_YEAR, LAST_YEAR, Month
from pieced_billing.errors import UsageError

T = TypeVar("T")

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_AMOUNT = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,2})?")


def _parser(parse: Callable[[str], T], right: str) -> Callable[[str | T], T]:
    """A parser for typer, which is also given what was parsed already."""

    def parsed(text: str | T) -> T:
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except (ValueError, OverflowError):
            raise typer.BadParameter(f"{text!r} is not {right}.") from None

    parsed.__name__ = right
    return parsed


def _date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return date.fromisoformat(text)


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text).astimezone(UTC)


def _amount(text: str) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise ValueError
    return Decimal(text)


def MonthOption(*names: str, help: str) -> Any:  # noqa: A002, N802 - stands where typer.Option does
    """An option whose value is a month."""
    right = f"a month from {FIRST_YEAR}-01 to {LAST_YEAR}-12, such as 2026-03"
    return typer.Option(*names, help=help, metavar="YYYY-MM", parser=_parser(Month.parse, right))


def DateOption(*names: str, help: str) -> Any:  # noqa: A002, N802
    """An option whose value is a calendar date."""
    return typer.Option(*names, help=help, metavar="YYYY-MM-DD", parser=_parser(_date, "a date such as 2026-03-15"))


def InstantOption(*names: str, help: str) -> Any:  # noqa: A002, N802
    """An option whose value is an instant with its offset."""
    right = "an instant with an offset, such as 2026-03-15T12:00:00+01:00"
    return typer.Option(*names, help=help, metavar="INSTANT", parser=_parser(_instant, right))


def AmountOption(*names: str, help: str) -> Any:  # noqa: A002, N802
    """An option whose value is an amount of francs with at most two decimals."""
    right = "an amount in CHF with at most two decimals, such as 148.21"
    return typer.Option(*names, help=help, metavar="CHF", parser=_parser(_amount, right))


def require_line(name: str, text: str, example: str) -> None:
    """Raise UsageError unless the value of an option is one line of text."""
    if not text.strip() or not text.isprintable():
        raise UsageError(f"{name} must be one line of text, such as {example}.")
