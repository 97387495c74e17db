"""`pieced org`: organisations, who is billed and how."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pieced_billing.parties.apply import Applied, apply_organisations
from pieced_billing.parties.show import organisation_entries
from pieced_cli.database import database
from pieced_cli.files import read_file
from pieced_cli.output import Format, Output, Table, print_later_start, show

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _org() -> None:
    """Organisations: name, address, and the terms that decide their VAT."""


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="YAML file of organisations, - for standard input.")],
    output: Output = Format.TABLE,
) -> None:
    """Record what a file says of organisations: all of it, or nothing when something in it is wrong."""
    with database() as connection:
        applied = apply_organisations(connection, *read_file(file))
    if applied or output is not Format.TABLE:
        show(_document(applied), _applied_table(applied), output)
    else:
        print("Nothing to record: every organisation of the file is as it says already.")
    nameless = [one.org for one in applied.organisations if not (one.name and one.town)]
    if nameless:
        law = "an invoice names its recipient and the place (MWSTG, art. 26)"
        others = f" and {len(nameless) - 3} more" if len(nameless) > 3 else ""
        print(f"pieced: Name or town is missing of {', '.join(nameless[:3])}{others}; {law}.", file=sys.stderr)
    for org, entries in applied.later.items():
        for entry in entries:
            print_later_start(f"{entry.name} of {org}", entry.valid_from)


@app.command("show")
def show_organisations(
    org: Annotated[str | None, typer.Argument(help="Id of one organisation; all without it.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show organisations; as YAML it is the file that `apply` reads."""
    with database() as connection:
        entries = organisation_entries(connection, org)
    columns = ("org", "name", "from", "country", "vat_posture", "town", "language", "email")
    rows = [[_cell(entry.get(column)) for column in columns] for entry in entries]
    show({"orgs": entries}, Table(columns, rows), output)


def _document(applied: Applied) -> dict[str, Any]:
    return {
        "described": [organisation.org for organisation in applied.organisations],
        "terms": [
            {
                "org": org,
                "from": None if entry.valid_from is None else entry.valid_from.isoformat(),
                entry.name: entry.value,
            }
            for org, entries in applied.terms.items()
            for entry in entries
        ],
    }


def _applied_table(applied: Applied) -> Table:
    described = {organisation.org for organisation in applied.organisations}
    rows = [(org, "name and address", "", "") for org in sorted(described)]
    for org, entries in applied.terms.items():
        for entry in entries:
            since = "since ever" if entry.valid_from is None else entry.valid_from.isoformat()
            rows.append((org, entry.name, since, entry.value or "none"))
    return Table(("org", "recorded", "from", "value"), rows)


def _cell(value: object) -> str:
    return "" if value is None else str(value)
