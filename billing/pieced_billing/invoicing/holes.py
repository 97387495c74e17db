"""Numbers that were sealed and that the database, which was restored, does not know: they are never given again."""

from typing import NamedTuple

from pieced_billing import faults
from pieced_billing.invoicing.number import NumberSeries, format_number, read_counters
from pieced_billing.invoicing.sealed_numbers import SealedNumbers
from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.store.connections import Connection
from pieced_billing.store.locks import lock_invoicing


class Hole(NamedTuple):
    """Numbers of a series that were given and are lost."""

    series: NumberSeries
    numbers: NumberRun

    def document(self) -> dict[str, str]:
        """The first and the last number, as they are written."""
        first, last = (format_number(self.series.series, self.series.year, number) for number in self.numbers)
        return {"issuing_entity": self.series.issuing_entity, "first": first, "last": last}


def certify_holes(connection: Connection, sealed: SealedNumbers) -> list[Hole]:
    """Record what is sealed beyond the counters, with the seal as evidence; the counters go on behind it.

    One transaction of its own: `connection` must not be inside one. Nothing is recorded twice.
    """
    with connection.transaction():
        lock_invoicing(connection)
        known = read_counters(connection)
        holes = [
            Hole(series, NumberRun(known.get(series, 0) + 1, last))
            for series, last in sorted(sealed.counters.items())
            if last > known.get(series, 0)
        ]
        for hole in holes:
            connection.execute(
                "INSERT INTO invoice_number_holes"
                " (issuing_entity, series, year, first_number, last_number, evidence) VALUES (%s, %s, %s, %s, %s, %s)",
                [*hole.series, *hole.numbers, sealed.line],
            )
        faults.point("numbers.after_holes")
    return holes
