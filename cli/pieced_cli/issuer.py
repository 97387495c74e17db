"""`pieced issuer`: who issues the invoices, and where they are paid."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pieced_billing.documents.issuers import apply_issuers
from pieced_billing.money import amount_text
from pieced_billing.parties.issuers import load_issuers
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.postal_address import LIMITS
from pieced_cli.database import database
from pieced_cli.files import read_file
from pieced_cli.output import Format, Output, Table, show

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
_COLUMNS = (
    "issuer",
    "name",
    "town",
    "country",
    "iban",
    "vat_number",
    "invoice_prefix",
    "payment_days",
    "accent_colour",
)


@app.callback()
def _issuer() -> None:
    """Who issues the invoices: name, address, account, VAT number, numbers, terms of payment, logo and colour."""


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="YAML file of issuers, - for standard input.")],
    output: Output = Format.TABLE,
) -> None:
    """Record what a file says of those who issue invoices; it is on every invoice that is finalised from then on."""
    with database() as connection:
        recorded = [_document(issuer) for issuer in apply_issuers(connection, *read_file(file))]
    if recorded or output is not Format.TABLE:
        _show(recorded, output)
    else:
        print("Nothing to record: every issuer of the file is as it says already.")
    for issuer in recorded:
        if issuer["vat_number"] is None:
            law = "who is not registered for VAT may not show it on invoices (MWSTG, art. 27)"
            print(f"pieced: {issuer['issuer']} has no VAT number; {law}.", file=sys.stderr)


@app.command("show")
def show_issuers(output: Output = Format.TABLE) -> None:
    """Show who issues invoices now; as YAML it is the file that `apply` reads."""
    with database() as connection:
        latest = [_document(versions[-1].issuer) for versions in load_issuers(connection).values()]
    _show(latest, output)


def _show(documents: list[dict[str, Any]], output: Format) -> None:
    rows = [
        ["" if document[column] is None else str(document[column]) for column in _COLUMNS] for document in documents
    ]
    show({"issuers": documents}, Table(_COLUMNS, rows), output)


def _document(issuer: IssuingEntity) -> dict[str, Any]:
    return {
        "issuer": issuer.name,
        **{name: getattr(issuer.address, name) for name in LIMITS},
        "iban": issuer.iban,
        "vat_number": issuer.vat_number,
        "email": issuer.email,
        "accent_colour": issuer.accent_colour,
        "logo": issuer.logo,
        "invoice_prefix": issuer.terms.invoice_prefix,
        "credit_note_prefix": issuer.terms.credit_note_prefix,
        "number_digits": issuer.terms.number_digits,
        "payment_days": issuer.terms.payment_days,
        "minimum_amount_chf": amount_text(issuer.terms.minimum_amount),
    }
