"""`pieced invoice numbers`: which numbers were given, and where each of them is."""

from collections.abc import Iterator

from pieced_billing.invoicing.issued import Numbering, numberings
from pieced_billing.invoicing.number import NumberSeries, format_number
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.soundness import NumberRun
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show

_COLUMNS = ("issuing entity", "first", "last", "count", "what", "certified")


def numbers(output: Output = Format.TABLE) -> None:
    """Show which numbers have an invoice, and which were lost with a database and are never given again."""
    with database() as connection:
        found = numberings(connection)
    rows = (row for numbering in found for row in _rows(numbering))
    show([numbering.document() for numbering in found], Table(_COLUMNS, rows, frozenset({"count"})), output)


def _rows(numbering: Numbering) -> Iterator[tuple[str, ...]]:
    certified = {hole.numbers: instant_text(hole.recorded_at) for hole in numbering.holes}
    for run in numbering.accounted_for():
        what = ("lost", certified[run]) if run in certified else ("issued", "")
        yield (numbering.series.issuing_entity, *_ends(numbering.series, run), str(run.last - run.first + 1), *what)


def _ends(series: NumberSeries, run: NumberRun) -> tuple[str, str]:
    return format_number(series.series, series.year, run.first), format_number(series.series, series.year, run.last)
