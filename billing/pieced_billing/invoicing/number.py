"""Invoice numbers: how they look, and that there is none missing."""

from typing import Final

from pieced_billing.store.connections import Connection

ISSUING_ENTITY: Final = "default"
SERIES: Final = "INV"


def format_number(series: str, year: int, number: int) -> str:
    """How the number of an invoice is written.

    >>> format_number("INV", 2026, 1)
    'INV-2026-000001'
    """
    return f"{series}-{year}-{number:06}"


def take_numbers(connection: Connection, count: int, year: int) -> list[str]:
    """The next numbers of a year of issue.

    The counter is locked until the caller's transaction ends and falls back with it, so that no number is lost: take
    them last, when nothing but writing the invoices is left to do.
    """
    row = connection.execute(
        "INSERT INTO invoice_number_counters (issuing_entity, series, year, last_number) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (issuing_entity, series, year)"
        " DO UPDATE SET last_number = invoice_number_counters.last_number + EXCLUDED.last_number"
        " RETURNING last_number",
        [ISSUING_ENTITY, SERIES, year, count],
    ).fetchone()
    assert row is not None
    return [format_number(SERIES, year, number) for number in range(row[0] - count + 1, row[0] + 1)]
