"""`pieced invoice numbers`: which numbers were given, and where each of them is."""

from collections.abc import Iterator

from pieced_billing.invoicing.holes import Hole
from pieced_billing.invoicing.issued import Numbering, numberings
from pieced_billing.ledger.export import instant_text
from pieced_billing.parties.issuers import IssuerVersions, load_issuers
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show

_COLUMNS = ("issuing entity", "first", "last", "count", "what", "certified")


def numbers(output: Output = Format.TABLE) -> None:
    """Show which numbers have an invoice, and which were lost with a database and are never given again."""
    with database() as connection:
        found, issuers = numberings(connection), load_issuers(connection)
    rows = (row for numbering in found for row in _rows(numbering, issuers))
    show([numbering.document() for numbering in found], Table(_COLUMNS, rows, frozenset({"count"})), output)


def _rows(numbering: Numbering, issuers: IssuerVersions) -> Iterator[tuple[str, ...]]:
    certified = {hole.numbers: hole for hole in numbering.holes}
    for run in numbering.accounted_for():
        hole = certified.get(run)
        if hole is None:
            ends, what = numbering.written[run], ("issued", "")
        else:
            ends = Hole.of(numbering.series, run, issuers, hole.sealed_at).written
            what = "lost", instant_text(hole.recorded_at)
        yield (numbering.series.issuing_entity, *ends, str(run.last - run.first + 1), *what)
