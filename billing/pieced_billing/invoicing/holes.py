"""Numbers that were sealed and that the database, which was restored, does not know: they are never given again."""

from typing import NamedTuple

from pieced_billing import faults
from pieced_billing.invoicing.number import NumberSeries, read_counters
from pieced_billing.invoicing.sealed_numbers import SealedNumbers
from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.issuing_terms import Issuers, IssuingTerms
from pieced_billing.store.connections import Connection
from pieced_billing.store.locks import lock_invoicing


class Hole(NamedTuple):
    """Numbers of a series that were given and are lost; `written` are the first and the last as they look today."""

    series: NumberSeries
    numbers: NumberRun
    written: tuple[str, str]

    @classmethod
    def of(cls, series: NumberSeries, numbers: NumberRun, issuers: Issuers) -> "Hole":
        """The hole that these numbers make; an issuer that the restored database does not know writes as anybody."""
        issuer = issuers.get(series.issuing_entity, IssuingTerms(series.issuing_entity))
        first, last = (issuer.number(series.series, series.year, number) for number in numbers)
        return cls(series, numbers, (first, last))

    def document(self) -> dict[str, str]:
        """The first and the last number, as they are written."""
        return {"issuing_entity": self.series.issuing_entity, "first": self.written[0], "last": self.written[1]}


def certify_holes(connection: Connection, sealed: SealedNumbers) -> list[Hole]:
    """Record what is sealed beyond the counters, with the seal as evidence; the counters go on behind it.

    One transaction of its own: `connection` must not be inside one. Nothing is recorded twice.
    """
    with connection.transaction():
        lock_invoicing(connection)
        known, issuers = read_counters(connection), load_issuing_terms(connection)
        holes = [
            Hole.of(series, NumberRun(known.get(series, 0) + 1, last), issuers)
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
