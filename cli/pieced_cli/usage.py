"""`pieced usage`: what was used, brought in from files and sources."""

import gc
import os
import sys
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from pieced_billing.calendar import Month
from pieced_billing.errors import UsageError
from pieced_cli.files import opened
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.values import DateOption, InstantOption, MonthOption

if TYPE_CHECKING:
    from pieced_billing.usage.collect import Collected

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _usage() -> None:
    """What was used: import, collect, rates, end, skip."""


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="A file of JSON Lines or CSV, or - for standard input.", metavar="FILE")],
    output: Output = Format.TABLE,
) -> None:
    """Record the usage of a file: all of it, or nothing if a line is wrong; what is recorded already is skipped."""
    from pieced_billing.usage.import_ import import_usage  # noqa: PLC0415 - libraries are loaded when they are needed
    from pieced_cli.database import database  # noqa: PLC0415

    gc.disable()  # lines are trees: looking for cycles in them takes a third of the time
    with opened(file) as lines, database() as connection:
        imported = import_usage(connection, lines)
    counts = {"usage": imported.usage, "tenants": imported.tenants, "repeats": imported.repeats}
    show(counts, Table(list(counts), [[str(count) for count in counts.values()]], frozenset(counts)), output)


@app.command("rates")
def rates(
    file: Annotated[str, typer.Argument(help="A file of CSV, day,chf, or - for standard input.", metavar="FILE")],
) -> None:
    """Record what a dollar is worth in CHF on each local day; a rate that is recorded stays."""
    from pieced_billing.usage.exchange import record_rates  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with opened(file) as lines, database() as connection:
        new = record_rates(connection, lines)
    print(f"{new} {'rate' if new == 1 else 'rates'} recorded.")


@app.command("end")
def end(
    source: Annotated[str, typer.Argument(help="The source, such as litellm.")],
    on: Annotated[date, DateOption("--on", help="The first local day whose usage it does not tell any more.")],
) -> None:
    """Say that a source ends: usage of that day and later is not missing without it, and no invoice waits for it."""
    from pieced_billing.calendar import day_start, from_microseconds  # noqa: PLC0415
    from pieced_billing.store.settings import load_settings  # noqa: PLC0415
    from pieced_billing.usage.endings import end_source  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        end_source(connection, source, from_microseconds(day_start(on, load_settings(connection).zone)))
    print(f"{source} is waited for up to {on}, and not from then on.")


@app.command("skip")
def skip_changed(
    source: Annotated[str, typer.Argument(help="The source, such as litellm.")],
    uid: Annotated[str, typer.Argument(help="The UID of the tenant.")],
    until: Annotated[datetime, InstantOption("--until", help="More than two hours past what is to be skipped.")],
) -> None:
    """Say that what is recorded of a tenant is right, whatever its source says now, and collect it from there on."""
    from pieced_billing.ledger.export import instant_text  # noqa: PLC0415
    from pieced_billing.usage.endings import skip  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        skip(connection, source, uid, until)
    print(f"Usage of {uid} counts as collected from {source} until {instant_text(until)}.")


@app.command("collect")
def collect(
    month: Annotated[Month | None, MonthOption("--month", help="Read all of a month, again if need be.")] = None,
    since: Annotated[date | None, DateOption("--since", help="Read from this local day on, again if need be.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Collect usage from the sources that the environment names, since the last time if nothing else is said.

    Status 1 if a source did not tell all: the invoices concerned wait until it did.
    """
    from pieced_cli.collecting import collect_all  # noqa: PLC0415

    if month is not None and since is not None:
        raise UsageError("Either --month or --since says from when on usage is collected, not both.")
    collected = collect_all(os.environ, month, since)
    documents = [one.document() for one in collected]
    columns = ("source", "tenants", "records", "repeats", "failures", "warnings")
    show(documents, Table(columns, [_row(one) for one in collected], frozenset(columns[1:])), output)
    for one in collected:
        _complain(one)
    if any(one.failures for one in collected):
        raise typer.Exit(1)


def _row(collected: "Collected") -> list[str]:
    counts = (collected.tenants, collected.records, collected.repeats, len(collected.failures), len(collected.warnings))
    return [collected.source, *map(str, counts)]


def _complain(collected: "Collected") -> None:
    """Say on stderr what is missing, each reason once."""
    failures = sorted(collected.failures, key=lambda failure: failure[1])
    for reason, group in groupby(failures, key=lambda failure: failure[1]):
        print(f"pieced: {collected.source}, {_some([tenant for tenant, _ in group])}: {reason}.", file=sys.stderr)
    for _, warned in collected.warnings:
        print(f"pieced: {collected.source}: {warned.text}", file=sys.stderr)
    if collected.unclaimed:
        nobody = f"{_some(collected.unclaimed)} is no tenant's; what is used there is on no bill."
        print(f"pieced: {collected.source}: {nobody}", file=sys.stderr)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
