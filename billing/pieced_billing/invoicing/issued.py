"""Which numbers of invoices were issued, and what the counters say of them."""

from typing import Final, NamedTuple

from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.store.connections import Connection

# Consecutive numbers have the same difference to their position.
_RUNS: Final = """
WITH issued AS (
    SELECT issuing_entity, series, substring(number FROM '-([0-9]+)-[0-9]+$')::int AS year,
           substring(number FROM '([0-9]+)$')::bigint AS number
    FROM invoices
), runs AS (
    SELECT issuing_entity, series, year, min(number) AS first, max(number) AS last FROM (
        SELECT *, number - row_number() OVER (PARTITION BY issuing_entity, series, year ORDER BY number) AS run
        FROM issued) AS placed
    GROUP BY issuing_entity, series, year, run
)
SELECT issuing_entity, series, year, counters.last_number, runs.first, runs.last
FROM invoice_number_counters AS counters FULL JOIN runs USING (issuing_entity, series, year)
ORDER BY issuing_entity, series, year, runs.first
"""


class Numbering(NamedTuple):
    """The numbers of one issuing entity, series and year of issue; `last_number` is None without a counter."""

    name: str
    last_number: int | None
    runs: list[NumberRun]


def numberings(connection: Connection) -> list[Numbering]:
    """Every counter, and every series that has invoices."""
    found: dict[str, Numbering] = {}
    for entity, series, year, last_number, first, last in connection.execute(_RUNS):
        name = f"invoice numbers {series}-{year} of {entity}"
        numbering = found.setdefault(name, Numbering(name, last_number, []))
        if first is not None:
            numbering.runs.append(NumberRun(first, last))
    return list(found.values())
