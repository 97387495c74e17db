"""What a dollar is worth in CHF on each local day: recorded once, never changed."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import BinaryIO, ClassVar, Final

from pieced_billing.errors import Refused
from pieced_billing.store.connections import Connection

CURRENCY: Final = "USD"

_RATE: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RECORD: Final = "INSERT INTO exchange_rates (currency, day, chf) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"


class WrongRates(Refused):
    """A file of rates cannot be read, or contradicts itself or what is recorded."""

    code: ClassVar[str] = "wrong_rates"


def record_rates(connection: Connection, file: BinaryIO) -> int:
    """Record the rates of a file of CSV (`day,chf`), all or nothing; returns how many were new. The caller commits."""
    known = rates(connection)
    new = 0
    for number, day, chf in _read(file):
        if known.get(day, chf) != chf:
            raise WrongRates(
                f"Line {number}: the rate of {CURRENCY} for {day} is {known[day]} and stays so, not {chf}."
            )
        new += connection.execute(_RECORD, [CURRENCY, day, chf]).rowcount
        known[day] = chf
    return new


def rates(connection: Connection) -> dict[date, Decimal]:
    """CHF for one dollar, by local day."""
    query = "SELECT day, chf FROM exchange_rates WHERE currency = %s"
    return dict(connection.execute(query, [CURRENCY]).fetchall())


def _read(file: BinaryIO) -> Iterator[tuple[int, date, Decimal]]:
    try:
        rows = csv.reader(file.read().decode("utf-8-sig").splitlines(), strict=True)
        header = next(rows, [])
        if header != ["day", "chf"]:
            raise WrongRates("The first line of a file of rates is day,chf; each other is like 2026-03-02,0.8812.")
        for number, row in enumerate(rows, 2):
            yield number, *_parsed(number, row)
    except csv.Error as error:
        raise WrongRates(f"The file of rates is not CSV: {error}.") from None
    except UnicodeDecodeError:
        raise WrongRates("The file of rates is not text in UTF-8.") from None


def _parsed(number: int, row: list[str]) -> tuple[date, Decimal]:
    try:
        if len(row) == 2 and _DAY.fullmatch(row[0]) and _RATE.fullmatch(row[1]) and Decimal(row[1]) > 0:
            return date.fromisoformat(row[0]), Decimal(row[1])
    except ValueError:
        pass
    raise WrongRates(f"Line {number} is {','.join(row)!r}; it is a day and CHF for a dollar, like 2026-03-02,0.8812.")
