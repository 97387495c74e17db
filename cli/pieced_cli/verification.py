"""`pieced verify`: issued invoices made again from what they stand on, and compared."""

from typing import TYPE_CHECKING, Annotated

import typer

from pieced_billing.errors import UsageError
from pieced_cli.output import Format, Output, Table, show

if TYPE_CHECKING:
    from pieced_billing.verification.verify import Verified

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_COLUMNS = ("document", "line", "what", "stored", "right")


@app.command()
def verify(
    number: Annotated[str | None, typer.Argument(help="The number of an invoice or credit note.")] = None,
    all_documents: Annotated[bool, typer.Option("--all", help="Every document that was ever issued.")] = False,
    output: Output = Format.TABLE,
) -> int:
    """Make invoices again from events, usage and prices as they were known, and name each difference; exit status 1."""
    from pieced_billing.verification.verify import verify as verify_documents  # noqa: PLC0415 - loaded when needed
    from pieced_cli.database import database  # noqa: PLC0415

    if (number is None) is not all_documents:
        raise UsageError("Name one document by its number, or all of them by --all.")
    with database() as connection:
        verified = verify_documents(connection, number)
    _show(verified, output)
    return 1 if verified.found else 0


def _show(verified: "Verified", output: Format) -> None:
    rows = [
        [one.number, "" if one.line is None else str(one.line), one.what, one.stored, one.right]
        for one in verified.differences
    ]
    if output is Format.TABLE:
        print(_summary(verified))
    if output is not Format.TABLE or rows:
        show(verified.document(), Table(_COLUMNS, rows, frozenset(("line",))), output)


def _summary(verified: "Verified") -> str:
    looked = f"{verified.documents} documents of {verified.tenants} tenants"
    if verified.unproved:
        looked += (
            f" ({verified.unproved} of them hold no proof: they are from before proofs were kept, and are compared "
            "with what was recorded until they were issued)"
        )
    if not verified.found:
        return f"{looked}: 0 differences."
    shown = f", the first {len(verified.differences)} below" if verified.found > len(verified.differences) else ""
    return f"{looked}: {verified.found} differences{shown}."
