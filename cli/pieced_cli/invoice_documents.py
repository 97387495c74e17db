"""`pieced invoice pdf`, `render` and `export`: the documents of invoices."""

import sys
from collections.abc import Iterable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pieced_billing.calendar import Month
from pieced_billing.documents.export import csv_of, exported_e_invoices, exported_invoices
from pieced_billing.documents.store import invoice_pdf, render_missing
from pieced_billing.errors import UsageError
from pieced_cli.database import database
from pieced_cli.documents import print_documents
from pieced_cli.output import Format
from pieced_cli.values import MonthOption


class ExportFormat(StrEnum):
    """How invoices go out: whole, one on a line, their lines as a table, or e-invoices, one on a line."""

    JSON = "json"
    CSV = "csv"
    XML = "xml"


def pdf(
    number: Annotated[str, typer.Argument(help="The number of an invoice or credit note, such as INV-2026-000001.")],
    file: Annotated[Path, typer.Option("--output", "-o", help="Where to write it, - for standard output.")],
) -> None:
    """Write the PDF of an invoice, with its payment part: the same bytes whenever it is asked for."""
    with database() as connection:
        content = invoice_pdf(connection, number)
    if str(file) == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from None


def render_documents(
    month: Annotated[Month | None, MonthOption("--month", help="Only this month's.")] = None,
) -> None:
    """Make the documents of all invoices that have none yet; what was made stays as it is."""
    made = 0
    with database() as connection:
        for made, to_come in render_missing(connection, month):
            if sys.stderr.isatty() and to_come:
                print(f"{made} documents, {to_come} to come", file=sys.stderr)
    print(f"{made} {'document' if made == 1 else 'documents'} made.")


def export(
    month: Annotated[Month | None, MonthOption("--month", help="Only this month's.")] = None,
    org: Annotated[str | None, typer.Option(help="Only this organisation's.")] = None,
    output: Annotated[ExportFormat, typer.Option("--output", "-o", help="How to print them.")] = ExportFormat.JSON,
) -> None:
    """Print invoices and credit notes: JSON one on a line, their lines as CSV, or e-invoices as XML one on a line."""
    with database() as connection:
        if output is ExportFormat.XML:
            _print_e_invoices(exported_e_invoices(connection, month, org))
            return
        with closing(exported_invoices(connection, month, org)) as invoices:
            if output is ExportFormat.JSON:
                print_documents(invoices, Format.JSON)
            else:
                sys.stdout.buffer.writelines(record.encode() for record in csv_of(invoices))


def _print_e_invoices(e_invoices: Iterable[tuple[str, bytes | None]]) -> None:
    for number, xml in e_invoices:
        if xml is None:
            print(f"pieced: {number} has no e-invoice in its document.", file=sys.stderr)
        else:
            sys.stdout.buffer.write(xml + b"\n")
