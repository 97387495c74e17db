"""`pieced invoice numbers`: which numbers were given, and where each of them is."""

from collections.abc import Iterator

from pieced_billing.invoicing.holes import Hole
from pieced_billing.invoicing.issued import Numbering, numberings
from pieced_billing.ledger.export import instant_text
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.issuing_terms import Issuers
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show

_COLUMNS = ("issuing entity", "first", "last", "count", "what", "certified")


def numbers(output: Output = Format.TABLE) -> None:
    """Show which numbers have an invoice, and which were lost with a database and are never given again."""
    with database() as connection:
        found, issuers = numberings(connection), load_issuing_terms(connection)
    rows = (row for numbering in found for row in _rows(numbering, issuers))
    show([numbering.document() for numbering in found], Table(_COLUMNS, rows, frozenset({"count"})), output)


def _rows(numbering: Numbering, issuers: Issuers) -> Iterator[tuple[str, ...]]:
    certified = {hole.numbers: instant_text(hole.recorded_at) for hole in numbering.holes}
    for run in numbering.accounted_for():
        what = ("lost", certified[run]) if run in certified else ("issued", "")
        ends = numbering.written.get(run) or Hole.of(numbering.series, run, issuers).written
        yield (numbering.series.issuing_entity, *ends, str(run.last - run.first + 1), *what)
