"""Invoice numbers: how they are counted, so that there is none missing."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from pieced_billing.store.connections import Connection


class NumberSeries(NamedTuple):
    """What is counted for itself: the documents of an issuing entity, by their series and year of issue."""

    issuing_entity: str
    series: str
    year: int


Counters: TypeAlias = Mapping[NumberSeries, int]
"""The last number of each series that has one."""


def year_and_count(number: str) -> tuple[int, int]:
    """In which year of issue a number was counted, and how far the count was then, whatever its format.

    >>> year_and_count("INV-2026-000017")
    (2026, 17)
    """
    _, year, count = number.rsplit("-", 2)
    return int(year), int(count)


def take_numbers(connection: Connection, series: NumberSeries, count: int) -> range:
    """The next numbers of a series.

    The counter is locked until the caller's transaction ends and falls back with it, so that no number is lost: take
    them last, when nothing but writing the documents is left to do.
    """
    row = connection.execute(
        "INSERT INTO invoice_number_counters (issuing_entity, series, year, last_number) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (issuing_entity, series, year)"
        " DO UPDATE SET last_number = invoice_number_counters.last_number + EXCLUDED.last_number"
        " RETURNING last_number",
        [*series, count],
    ).fetchone()
    assert row is not None
    return range(row[0] - count + 1, row[0] + 1)


def read_counters(connection: Connection) -> Counters:
    """The counters as they are committed."""
    query = "SELECT issuing_entity, series, year, last_number FROM invoice_number_counters"
    return {NumberSeries(entity, series, year): last for entity, series, year, last in connection.execute(query)}
