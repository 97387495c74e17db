"""`pieced ledger`: what was ordered and used, in files and on the screen, and whether that is so."""

import sys
from typing import Annotated, Any

import typer

from pieced_cli import proof
from pieced_cli.files import opened
from pieced_cli.output import Format, Output, Table, show

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command("seal")(proof.seal)
app.command("verify")(proof.verify)


@app.callback()
def _ledger() -> None:
    """What was ordered and used, when: import, export, show, check, seal, verify."""


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="A file of JSON Lines, or - for standard input.", metavar="FILE")],
    output: Output = Format.TABLE,
) -> None:
    """Record the events and the usage of a file: all of it, or nothing if a line is wrong."""
    from pieced_billing.ledger.import_ import import_lines  # noqa: PLC0415 - libraries are loaded when they are needed
    from pieced_cli.database import database  # noqa: PLC0415

    with opened(file) as lines, database() as connection:
        imported = import_lines(connection, lines)
    counts = imported._asdict()
    show(counts, Table(list(counts), [[str(count) for count in counts.values()]], frozenset(counts)), output)


@app.command("export")
def export() -> None:
    """Print the whole ledger as JSON Lines; importing that into an empty database gives the same drafts."""
    from pieced_billing.ledger.export import export_lines  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        sys.stdout.buffer.writelines(export_lines(connection))


@app.command("show")
def show_tenant(
    tenant: Annotated[str, typer.Argument(help="A tenant's name (all its UIDs) or one UID.", metavar="TENANT")],
    output: Output = Format.TABLE,
) -> None:
    """Show the events of a tenant in the order in which they count, with how well their times are known."""
    from pieced_billing.ledger.show import lives  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        documents = [life.document() for life in lives(connection, tenant)]
    show(documents, _table(documents), output)


@app.command("check")
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Then record what the cluster shows and the ledger lacks, and check again.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Compare the ledger with the tenants of the cluster, with what runs, and with itself; status 1 for a finding."""
    from pieced_cli.check import run_check  # noqa: PLC0415 - the operator's libraries take a second to load

    if not run_check(with_repair=repair, output=output):
        raise typer.Exit(1)


_COLUMNS = ("seq", "kind", "package", "at", "not_before", "not_after", "quality", "source", "generation", "manager")


def _table(documents: list[dict[str, Any]]) -> Table:
    rows = [
        [document["tenant"], document["uid"], *("" if event[name] is None else str(event[name]) for name in _COLUMNS)]
        for document in documents
        for event in document["events"]
    ]
    return Table(("tenant", "uid", *_COLUMNS), rows, frozenset(("seq", "generation")))
