"""`pieced invoice run`: the invoices of a month, and what there is to say of it."""

import gc
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from pieced_billing.calendar import Month
from pieced_billing.invoicing.holes import Hole
from pieced_billing.invoicing.run import Outcome, run
from pieced_billing.money import amount_text
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.seal_options import SealNamespace
from pieced_cli.sealing import SealKey, lost, sealing
from pieced_cli.values import MonthOption
from pieced_operator.names import SEALS_NAMESPACE


def run_month(
    month: Annotated[Month, MonthOption("--month", help="The month to finalise; it must be over.")],
    org: Annotated[str | None, typer.Option(help="Id of one organisation; every one without it.")] = None,
    seal_key: SealKey = None,
    seal_namespace: SealNamespace = SEALS_NAMESPACE,
    output: Output = Format.TABLE,
) -> None:
    """Turn the drafts of a month into invoices, once however often it runs; what cannot be invoiced is parked.

    With a key the last number is sealed in the cluster before anything is sent: no restored database gives it again,
    and from then on no run of this database goes without the key.
    """
    total = Outcome()
    gc.disable()  # bills are trees: looking for cycles in them takes a quarter of the time
    with database() as connection:
        holes: list[Hole] = []
        done = False
        try:
            with sealing(connection, seal_key, seal_namespace) as holes:
                for to_come, outcome in run(connection, month, org):
                    total.add(outcome)
                    if sys.stderr.isatty() and to_come:
                        print(f"{len(total.numbers)} invoices, {to_come} organisations to come", file=sys.stderr)
            done = True
        finally:
            if done or holes or total.numbers:  # what was committed before a failure is not said again later
                _print(month, total, holes, output)


def _print(month: Month, total: Outcome, holes: Sequence[Hole], output: Format) -> None:
    document = {
        "period": str(month),
        "finalised": len(total.numbers),
        "gross": amount_text(total.gross),
        "first_number": total.numbers[0] if total.numbers else None,
        "last_number": total.numbers[-1] if total.numbers else None,
        "invoiced_before": total.invoiced_before,
        "empty": total.empty,
        "parked": [{"org": one.org, "code": one.code, "reason": one.reason} for one in total.parked],
        "lost_numbers": [hole.document() for hole in holes],
    }
    if output is not Format.TABLE:
        show(document, Table((), ()), output)
        return
    for hole in holes:
        print(lost(hole))
    print(_summary(month, total))
    if total.parked:
        show(document, Table(("parked", "code", "reason"), [(o.org, o.code, o.reason) for o in total.parked]), output)


def _summary(month: Month, total: Outcome) -> str:
    """What a run did, in one line for a person."""
    count = len(total.numbers)
    parts = [f"{count} {'invoice' if count == 1 else 'invoices'} finalised for {month}"]
    if count:
        parts[0] += f", {total.numbers[0]} to {total.numbers[-1]}, CHF {amount_text(total.gross)} in all"
    before = total.invoiced_before
    parts.append(f"{before} {'organisation' if before == 1 else 'organisations'} invoiced before")
    parts.append(f"{total.empty} without anything to bill")
    parts.append(f"{len(total.parked)} parked")
    return "; ".join(parts) + "."
