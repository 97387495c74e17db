"""`pieced invoice`: drafts, invoices, credit notes and payments."""

import gc
import os
from collections.abc import Generator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import typer

from pieced_billing.calendar import Month
from pieced_billing.collection.payments import Payment, record_payment
from pieced_billing.collection.receivables import invoice_document, payable, receivable, receivables
from pieced_billing.collection.status import Status
from pieced_billing.errors import UsageError
from pieced_billing.invoicing.drafts_in_processes import draft_documents
from pieced_billing.invoicing.load import drafts
from pieced_billing.store.connections import Connection, urls
from pieced_billing.store.settings import load_settings
from pieced_cli.credit import correct, credit
from pieced_cli.database import database
from pieced_cli.documents import print_documents
from pieced_cli.invoice_documents import export, pdf, render_documents
from pieced_cli.invoice_run import run_month
from pieced_cli.invoice_send import send_invoices
from pieced_cli.invoice_status import status
from pieced_cli.numbers import numbers
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.values import AmountOption, DateOption, InstantOption, MonthOption, require_line

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.command("run")(run_month)
app.command("status")(status)
app.command("credit")(credit)
app.command("correct")(correct)
app.command("numbers")(numbers)
app.command("pdf")(pdf)
app.command("render")(render_documents)
app.command("export")(export)
app.command("send")(send_invoices)


@app.callback()
def _invoice() -> None:
    """Drafts, finalised invoices, credit notes and payments."""


@app.command("draft")
def draft(
    month: Annotated[Month, MonthOption("--month", help="The month that is billed.")],
    org: Annotated[str | None, typer.Option(help="Id of one organisation.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every organisation with a tenant in the ledger.")] = False,
    as_of: Annotated[
        datetime | None, InstantOption("--as-of", help="Count what happened by then instead of the whole month.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print what organisations owe for a month; nothing is recorded. A month that is not over is a forecast."""
    if every == (org is not None):
        raise UsageError("Either --org ORG or --all says whose draft is wanted.")
    gc.disable()  # bills are trees: looking for cycles in them takes a quarter of the time
    with database() as connection, closing(_documents(connection, month, org, as_of)) as found:
        if output is Format.TABLE:
            from pieced_cli.bill import print_draft  # noqa: PLC0415 - rich is slow to load

            for document in found:
                print_draft(document)
        else:
            print_documents(found, output)


def _documents(
    connection: Connection, month: Month, org: str | None, as_of: datetime | None
) -> Generator[dict[str, object]]:
    if org is None:
        yield from draft_documents(connection, urls(os.environ).application, month, as_of)
    else:
        yield from (draft.document() for draft in drafts(connection, month, [org], as_of))


@app.command("list")
def list_invoices(
    month: Annotated[Month | None, MonthOption("--month", help="Only this month's.")] = None,
    org: Annotated[str | None, typer.Option(help="Only this organisation's.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those that stand so today.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List finalised invoices and credit notes, and what is open on them today."""
    with database() as connection:
        today = load_settings(connection).today
        found = [one for one in receivables(connection, today, month, org) if status in (None, one.status)]
    documents = [one.document() for one in found]
    columns = ("number", "org", "period", "issued_on", "due_on", "gross", "paid", "open", "status")
    rows = [[document[column] for column in columns] for document in documents]
    show(documents, Table(columns, rows, right=frozenset({"gross", "paid", "open"})), output)


@app.command("show")
def show_invoice(
    number: Annotated[str, typer.Argument(help="Its number, such as INV-2026-000001.")],
    output: Output = Format.TABLE,
) -> None:
    """Show an invoice or credit note as it was frozen, what was credited and what was paid."""
    with database() as connection:
        document = invoice_document(connection, load_settings(connection).today, number)
    if output is Format.TABLE:
        from pieced_cli.bill import print_invoice  # noqa: PLC0415 - rich is slow to load

        print_invoice(document)
    else:
        show(document, Table((), ()), output)


@app.command("pay")
def pay(
    number: Annotated[str, typer.Argument(help="The invoice's number, such as INV-2026-000001.")],
    on: Annotated[date, DateOption("--on", help="The day on which the money came in.")],
    amount: Annotated[Decimal, AmountOption("--amount", help="How much came in.")],
    reference: Annotated[str, typer.Option(help="What names this payment, such as the bank's transaction id.")],
) -> None:
    """Record a payment; the same reference again records nothing. Payments are never changed."""
    require_line("--reference", reference, "the bank's transaction id")
    with database() as connection:
        today = load_settings(connection).today
        payable(connection, today, number)
        is_new = record_payment(connection, Payment(number, on, amount, reference), today)
        stands = receivable(connection, today, number)
    print("Recorded." if is_new else "Nothing to record: this payment is recorded already.", end=" ")
    over = stands.paid - (stands.gross - stands.credited)
    rest = f"CHF {over:.2f} too much was paid" if over > 0 else f"CHF {stands.open:.2f} is open"
    print(f"{number} is {stands.status.value.replace('_', ' ')}: {rest}.")
