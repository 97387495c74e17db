"""`pieced explain`: what the cost of a tenant comes from, down to single events."""

from typing import Annotated, Any

import typer

from pieced_billing.calendar import Month
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.values import MonthOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    tenant: Annotated[str, typer.Option(help="A tenant's name (all its UIDs) or one UID.")],
    month: Annotated[Month | None, MonthOption("--month", help="The month; the present one, to date, without.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the days, events, prices and VAT rates that each line of a tenant's month comes from."""
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
