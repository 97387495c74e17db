"""`pieced explain`: what an invoice, or the cost of a tenant, comes from, down to single events."""

from typing import Annotated, Any

import typer

from pieced_billing.calendar import Month
from pieced_billing.errors import UsageError
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.values import MonthOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    number: Annotated[
        str | None, typer.Argument(help="The number of an invoice or credit note, such as INV-2026-000001.")
    ] = None,
    line: Annotated[int | None, typer.Option(min=1, help="Only this line of the invoice, by its place.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Instead: a tenant's name (all its UIDs) or one UID.")] = None,
    month: Annotated[
        Month | None, MonthOption("--month", help="The tenant's month; the present one, to date, without.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what each line of an invoice comes from: its days, events, usage, price and VAT rate, as known at its issue.

    With --tenant the same of what a tenant costs in a month, as known now.
    """
    if (number is None) == (tenant is None):
        raise UsageError("Either NUMBER or --tenant TENANT says what is to be explained.")
    if line is not None and number is None:
        raise UsageError("--line is a line of an invoice: it needs NUMBER.")
    if month is not None and tenant is None:
        raise UsageError("--month is a tenant's month: it needs --tenant TENANT.")
    if number is not None:
        _explain_invoice(number, line, output)
    elif tenant is not None:
        _explain_tenant(tenant, month, output)


def _explain_invoice(number: str, line: int | None, output: Format) -> None:
    from pieced_billing.explaining.invoice import explain_invoice  # noqa: PLC0415 - loaded when needed
    from pieced_billing.explaining.invoice_document import invoice_document  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        document = invoice_document(explain_invoice(connection, number, line))
    if output is not Format.TABLE:
        show(document, Table((), ()), output)
        return
    from pieced_cli.invoice_explanation import print_invoice  # noqa: PLC0415 - rich is slow to load

    print_invoice(document)


def _explain_tenant(tenant: str, month: Month | None, output: Format) -> None:
    from pieced_billing.explaining.tenant import explain_tenant  # noqa: PLC0415 - loaded when needed
    from pieced_billing.explaining.tenant_document import tenant_document  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        documents: list[dict[str, Any]] = [tenant_document(one) for one in explain_tenant(connection, tenant, month)]
    if output is not Format.TABLE:
        show(documents, Table((), ()), output)
        return
    from pieced_cli.tenant_explanation import print_tenant  # noqa: PLC0415 - rich is slow to load

    if not documents:
        print(f"{tenant} has nothing to do with {month or 'this month'}.")
    for document in documents:
        print_tenant(document)
