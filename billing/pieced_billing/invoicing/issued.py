"""Which numbers of invoices were issued, which were lost with a database, and what the counters say of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.invoicing.sealed_numbers import sealed_at_of
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.store.connections import Connection

# Consecutive numbers have the same difference to their position.
_RUNS: Final = """
WITH issued AS (
    SELECT issuing_entity, series, number AS written, substring(number FROM '-([0-9]+)-[0-9]+$')::int AS year,
           substring(number FROM '([0-9]+)$')::bigint AS number
    FROM invoices
), runs AS (
    SELECT issuing_entity, series, year, min(number) AS first, max(number) AS last,
           (array_agg(written ORDER BY number))[1] AS first_written,
           (array_agg(written ORDER BY number DESC))[1] AS last_written
    FROM (
        SELECT *, number - row_number() OVER (PARTITION BY issuing_entity, series, year ORDER BY number) AS run
        FROM issued) AS placed
    GROUP BY issuing_entity, series, year, run
)
SELECT issuing_entity, series, year, counters.last_number, runs.first, runs.last, first_written, last_written
FROM invoice_number_counters AS counters FULL JOIN runs USING (issuing_entity, series, year)
ORDER BY issuing_entity, series, year, runs.first
"""
_HOLES: Final = """
SELECT issuing_entity, series, year, first_number, last_number, recorded_at, evidence FROM invoice_number_holes
ORDER BY issuing_entity, series, year, first_number
"""


@dataclass(frozen=True, slots=True)
class CertifiedHole:
    """Numbers that a counter, signed at `sealed_at`, says were given by a database that was lost.

    Noted at `recorded_at`.
    """

    numbers: NumberRun
    recorded_at: datetime
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of one series; `last_number` is None without a counter. Runs and holes ascend.

    `written` has the first and the last number of each run that was issued, as they stand on their documents.
    """

    series: NumberSeries
    last_number: int | None
    issued: list[NumberRun] = field(default_factory=list)
    holes: list[CertifiedHole] = field(default_factory=list)
    written: dict[NumberRun, tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How a finding speaks of it."""
        return f"invoice numbers {self.series.series}-{self.series.year} of {self.series.issuing_entity}"

    def accounted_for(self) -> list[NumberRun]:
        """The numbers of which it is known where they are: issued, or in a certified hole."""
        return sorted([*self.issued, *(hole.numbers for hole in self.holes)])

    def document(self) -> dict[str, Any]:
        """The numbering for programs."""
        return {
            **self.series._asdict(),
            "last_number": self.last_number,
            "issued": [run._asdict() for run in self.issued],
            "holes": [hole.numbers._asdict() | {"recorded_at": instant_text(hole.recorded_at)} for hole in self.holes],
        }


def numberings(connection: Connection) -> list[Numbering]:
    """Every counter, and every series that has invoices."""
    found: dict[NumberSeries, Numbering] = {}
    for entity, series, year, last_number, first, last, *written in connection.execute(_RUNS):
        key = NumberSeries(entity, series, year)
        numbering = found.setdefault(key, Numbering(key, last_number))
        if first is not None:
            numbering.issued.append(NumberRun(first, last))
            numbering.written[numbering.issued[-1]] = (written[0], written[1])
    for key, hole in _holes(connection):
        found.setdefault(key, Numbering(key, None)).holes.append(hole)
    return list(found.values())


def _holes(connection: Connection) -> Iterable[tuple[NumberSeries, CertifiedHole]]:
    for entity, series, year, first, last, recorded_at, evidence in connection.execute(_HOLES):
        sealed_at = sealed_at_of(evidence) or recorded_at
        yield NumberSeries(entity, series, year), CertifiedHole(NumberRun(first, last), recorded_at, sealed_at)
