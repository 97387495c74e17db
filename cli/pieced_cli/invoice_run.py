"""`pieced invoice run`: the invoices of a month, and what there is to say of it."""

import gc
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from typing import Annotated

import typer

from pieced_billing.calendar import Month
from pieced_billing.errors import UsageError
from pieced_billing.invoicing.holes import Hole
from pieced_billing.invoicing.outcome import Outcome
from pieced_billing.invoicing.run_in_processes import run_in_processes
from pieced_billing.invoicing.wish import Wish
from pieced_billing.money import amount_text
from pieced_billing.parties.issuing_terms import SERIES
from pieced_billing.store.connections import urls
from pieced_billing.store.settings import load_settings
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.progress import with_progress
from pieced_cli.seal_options import SealNamespace
from pieced_cli.sealing import SealKey, lost, sealing
from pieced_cli.values import DateOption, MonthOption
from pieced_operator.names import SEALS_NAMESPACE


def run_month(  # noqa: PLR0913 - each is an option of the command
    *,
    month: Annotated[Month | None, MonthOption("--month", help="The month to finalise; it must be over.")] = None,
    org: Annotated[str | None, typer.Option(help="Id of one organisation; every one without it.")] = None,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Only who has auto_invoice_enabled; of the last month, without --month.")
    ] = False,
    issue_date: Annotated[
        date | None, DateOption("--issue-date", help="The date on the invoices; today without it.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Let amounts through that are unusually high.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of it; keep nothing.")] = False,
    seal_key: SealKey = None,
    seal_namespace: SealNamespace = SEALS_NAMESPACE,
    output: Output = Format.TABLE,
) -> None:
    """Turn the drafts of a month into invoices, once however often it runs; what cannot be invoiced is parked.

    With a key the last number is sealed in the cluster before anything is sent: no restored database gives it again,
    and from then on no run of this database goes without the key.
    """
    if month is None and not automatic:
        raise UsageError("--month YYYY-MM says which month to finalise; only --automatic goes without.")
    total = Outcome()
    gc.disable()  # bills are trees: looking for cycles in them takes a quarter of the time
    wish = Wish(org, automatic, issue_date, confirm, dry_run)
    url = urls(os.environ).application
    with database() as connection:
        of_month = month or Month.of(load_settings(connection).today).previous
        connection.rollback()
        holes: list[Hole] = []
        done = False
        try:
            with nullcontext(holes) if dry_run else sealing(connection, seal_key, seal_namespace) as holes:
                for outcome in with_progress(run_in_processes(connection, url, of_month, wish)):
                    total.add(outcome)
            done = True
        finally:
            if done or holes or total.numbers:  # what was committed before a failure is not said again later
                _print(of_month, total, holes, wish, output)


def _print(month: Month, total: Outcome, holes: Sequence[Hole], wish: Wish, output: Format) -> None:
    document = {
        "period": str(month),
        "dry_run": wish.dry,
        "finalised": len(total.numbers),
        "gross": amount_text(total.gross),
        "numbers": [_numbers(*key, numbers, wish) for key, numbers in sorted(total.by_series.items())],
        "invoiced_before": total.invoiced_before,
        "empty": total.empty,
        "carried": len(total.carried),
        "held": len(total.held),
        "parked": [{"org": one.org, "code": one.code, "reason": one.reason} for one in total.parked],
        "reopened": [{"period": str(of), "org": org} for of, org in total.reopened],
        "lost_numbers": [hole.document() for hole in holes],
    }
    if output is not Format.TABLE:
        show(document, Table((), ()), output)
        return
    for hole in holes:
        print(lost(hole))
    print(_summary(month, total, wish))
    for of_month, count in sorted(Counter(of for of, _ in total.reopened).items()):
        owing = "1 organisation has" if count == 1 else f"{count} organisations have"
        print(f"{of_month} was run before, and {owing} something to bill in it that became known since: run it again.")
    if total.parked:
        show(document, Table(("parked", "code", "reason"), [(o.org, o.code, o.reason) for o in total.parked]), output)


def _numbers(issuer: str, series: str, numbers: Sequence[str], wish: Wish) -> dict[str, object]:
    """The numbers that were given in a series; those of a dry run are given to somebody else."""
    ends = {} if wish.dry else {"first": numbers[0], "last": numbers[-1]}
    return {"issuer": issuer, "series": series, "count": len(numbers), **ends}


def _summary(month: Month, total: Outcome, wish: Wish) -> str:
    """What a run did, in one line for a person."""
    before, would = total.invoiced_before, "would be " if wish.dry else ""
    invoices = [numbers for (_, series), numbers in sorted(total.by_series.items()) if series == SERIES]
    count = sum(map(len, invoices))
    parts = [f"{count} {'invoice' if count == 1 else 'invoices'} {would}finalised for {month}"]
    if invoices and not wish.dry:
        parts[0] += ", " + " and ".join(f"{numbers[0]} to {numbers[-1]}" for numbers in invoices)
    if total.numbers:
        parts[0] += f", CHF {amount_text(total.gross)} in all"
    if notes := len(total.numbers) - count:
        parts.append(f"{notes} {'credit note' if notes == 1 else 'credit notes'} for negative months")
    parts.append(f"{before} {'organisation' if before == 1 else 'organisations'} invoiced before")
    parts.append(f"{total.empty} without anything to bill")
    if waiting := len(total.carried) + len(total.held):
        parts.append(f"{waiting} below the minimum amount, carried on")
    parts.append(f"{len(total.parked)} parked")
    return "; ".join(parts) + "."
