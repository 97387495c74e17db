"""`pieced invoice status`: how every organisation stands with a month."""

from collections import Counter
from typing import Annotated

from pieced_billing.calendar import Month
from pieced_billing.invoicing.outcomes import Stage, standings
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.values import MonthOption

_COLUMNS = ("parked", "code", "since", "reason")


def status(
    month: Annotated[Month, MonthOption("--month", help="The month that is billed.")], output: Output = Format.TABLE
) -> None:
    """Show whose invoice of a month is finalised, parked and why, or a draft still, which no run has come to."""
    with database() as connection:
        found = [one.document() for one in standings(connection, month)]
    counts = Counter(one["stage"] for one in found)
    if output is not Format.TABLE:
        show({"period": str(month), "stages": counts, "organisations": found}, Table((), ()), output)
        return
    rows = [(one.value, str(counts[one])) for one in Stage]
    show(counts, Table(("stage", "organisations"), rows, frozenset({"organisations"})), output)
    if parked := [one for one in found if one["stage"] == Stage.PARKED]:
        print()
        show(parked, Table(_COLUMNS, [[one["org"], *(one[name] for name in _COLUMNS[1:])] for one in parked]), output)
