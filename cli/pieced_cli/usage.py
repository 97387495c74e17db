"""`pieced usage`: what was used, brought in from files."""

from typing import Annotated

import typer

from pieced_cli.files import opened
from pieced_cli.output import Format, Output, Table, show

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _usage() -> None:
    """What was used: import."""


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="A file of JSON Lines or CSV, or - for standard input.", metavar="FILE")],
    output: Output = Format.TABLE,
) -> None:
    """Record the usage of a file: all of it, or nothing if a line is wrong; what is recorded already is skipped."""
    from pieced_billing.usage.import_ import import_usage  # noqa: PLC0415 - libraries are loaded when they are needed
    from pieced_cli.database import database  # noqa: PLC0415

    with opened(file) as lines, database() as connection:
        imported = import_usage(connection, lines)
    counts = {"usage": imported.usage, "tenants": imported.tenants, "repeats": imported.repeats}
    show(counts, Table(list(counts), [[str(count) for count in counts.values()]], frozenset(counts)), output)
