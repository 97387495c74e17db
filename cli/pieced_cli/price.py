"""`pieced price`: prices with dates."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pieced_billing.prices.apply import apply_prices
from pieced_billing.prices.entries import PriceEntry, field_label
from pieced_billing.prices.load import load_prices
from pieced_billing.prices.show import price_document, price_entries, value_text
from pieced_cli.database import database
from pieced_cli.files import read_file
from pieced_cli.output import Format, Output, Table, print_later_start, show
from pieced_cli.values import DateOption

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _price() -> None:
    """Prices of the platform and of packages, each in force from a date."""


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="YAML file of prices, - for standard input.")],
    output: Output = Format.TABLE,
) -> None:
    """Record what a file of prices adds: all of it, or nothing when something in it is wrong."""
    with database() as connection:
        added, later = apply_prices(connection, *read_file(file))
    if added or output is not Format.TABLE:
        show(price_document(added), _table(added), output)
    else:
        print("Nothing to record: the prices of the file are in force already.")
    for entry in later:
        print_later_start(field_label(entry.package, entry.name), entry.valid_from)


@app.command("show")
def show_prices(
    at: Annotated[date | None, DateOption("--at", help="Only the prices in force on this day, YYYY-MM-DD.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show every price and the date from which it holds; as YAML it is the file that `apply` reads."""
    with database() as connection:
        entries = list(price_entries(load_prices(connection), at))
    show(price_document(entries), _table(entries), output)


def _table(entries: list[PriceEntry]) -> Table:
    return Table(
        ("package", "price", "from", "CHF or %"),
        [
            (
                entry.package or "",
                entry.name,
                "since ever" if entry.valid_from is None else entry.valid_from.isoformat(),
                value_text(entry.name, entry.value) or "none",
            )
            for entry in entries
        ],
        right=frozenset({"CHF or %"}),
    )
