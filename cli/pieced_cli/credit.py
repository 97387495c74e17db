"""`pieced invoice credit` and `pieced invoice correct`: taking back, and billing anew."""

from decimal import Decimal
from typing import Annotated

import typer

from pieced_billing.collection.receivables import receivable
from pieced_billing.invoicing.corrections import correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.store.settings import load_settings
from pieced_cli.database import database
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.seal_options import SealNamespace
from pieced_cli.sealing import SealKey, lost, sealing_one
from pieced_cli.values import AmountOption, require_line
from pieced_operator.names import SEALS_NAMESPACE

_Number = Annotated[str, typer.Argument(help="The invoice's number, such as INV-2026-000001.")]
_Reason = Annotated[str, typer.Option(help="Why, in one line; it is printed on the credit note.")]


def credit(
    number: _Number,
    *,
    reason: _Reason,
    line: Annotated[
        list[int] | None, typer.Option(min=1, help="Only this line, by its place; may be repeated.")
    ] = None,
    amount: Annotated[
        Decimal | None,
        AmountOption("--amount", help="Only so much without VAT, spread over the lines by their amounts."),
    ] = None,
    seal_key: SealKey = None,
    seal_namespace: SealNamespace = SEALS_NAMESPACE,
    output: Output = Format.TABLE,
) -> None:
    """Issue a credit note on what is left of an invoice, or on a part of it, with the VAT of the invoice.

    Once nothing is left the period can be billed again.
    """
    require_line("--reason", reason, "wrong address")
    with database() as connection:
        with sealing_one(connection, seal_key, seal_namespace) as holes:
            credit_note = credit_invoice(connection, number, Wanted(line or None, amount), reason)
        today = load_settings(connection).today
        issued, invoice = receivable(connection, today, credit_note), receivable(connection, today, number)
    if output is not Format.TABLE:
        lost_numbers = [hole.document() for hole in holes]
        document = issued.document() | {"credits": number, "reason": reason, "lost_numbers": lost_numbers}
        show(document, Table((), ()), output)
        return
    for hole in holes:
        print(lost(hole))
    print(f"{credit_note} gives back CHF {-issued.gross:.2f} of {number}, of which", end=" ")
    left = invoice.gross - invoice.credited
    print(f"CHF {left:.2f} is left." if left else f"nothing is left: {invoice.month} can be billed again.")


def correct(
    number: _Number,
    reason: _Reason,
    seal_key: SealKey = None,
    seal_namespace: SealNamespace = SEALS_NAMESPACE,
    output: Output = Format.TABLE,
) -> None:
    """Credit what is left of an invoice and bill its month again as everything is now: both, or nothing."""
    require_line("--reason", reason, "wrong address")
    with database() as connection, sealing_one(connection, seal_key, seal_namespace) as holes:
        correction = correct_invoice(connection, number, reason)
    if output is not Format.TABLE:
        lost_numbers = [hole.document() for hole in holes]
        document = {**correction._asdict(), "credits": number, "reason": reason, "lost_numbers": lost_numbers}
        show(document, Table((), ()), output)
        return
    for hole in holes:
        print(lost(hole))
    follows = "there is nothing to bill any more" if correction.invoice is None else f"{correction.invoice} follows"
    print(f"{correction.credit_note} gives back what was left of {number}; {follows}.")
