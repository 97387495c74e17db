"""Numbers that were sealed and that the database, which was restored, does not know: they are never given again."""

from datetime import datetime
from typing import NamedTuple

from pieced_billing import faults
from pieced_billing.invoicing.number import NumberSeries, read_counters
from pieced_billing.invoicing.sealed_numbers import SealedNumbers, sealed_at_of
from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.parties.issuers import IssuerVersions, load_issuers, terms_at
from pieced_billing.store.connections import Connection
from pieced_billing.store.locks import lock_invoicing
from pieced_billing.store.settings import load_settings


class Hole(NamedTuple):
    """Numbers of a series that were given and are lost; `written` are the first and the last as they were written."""

    series: NumberSeries
    numbers: NumberRun
    written: tuple[str, str]

    @classmethod
    def of(cls, series: NumberSeries, numbers: NumberRun, issuers: IssuerVersions, sealed_at: datetime) -> "Hole":
        """The hole that these numbers make, written as their issuer did when they were sealed: what was said since is
        no reason to write them otherwise. An issuer that the restored database does not know writes as anybody.
        """
        terms = terms_at(issuers, series.issuing_entity, sealed_at)
        first, last = (terms.number(series.series, series.year, number) for number in numbers)
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
        known, issuers = read_counters(connection), load_issuers(connection)
        sealed_at = sealed_at_of(sealed.line) or load_settings(connection).now
        holes = [
            Hole.of(series, NumberRun(known.get(series, 0) + 1, last), issuers, sealed_at)
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
