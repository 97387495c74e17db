"""`pieced cost`: what tenants cost this month, so far and by its end."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from pieced_cli.output import Format, Output, Table, show

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_AMOUNTS = frozenset({"CHF to date", "CHF forecast"})


@app.command()
def cost(
    tenant: Annotated[
        str | None, typer.Argument(help="A tenant's name (all its UIDs) or one UID; all tenants without.")
    ] = None,
    org: Annotated[str | None, typer.Option(help="Only tenants of this organisation.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what tenants cost this month without VAT: to date, and at its end if nothing changes any more."""
    from pieced_billing.invoicing.cost import costs_of  # noqa: PLC0415 - libraries are loaded when they are needed
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        documents = [found.document() for found in costs_of(connection, tenant, org)]
    show(documents, _overview(documents) if tenant is None else _details(documents), output)


def _overview(documents: Iterable[dict[str, Any]]) -> Table:
    """One row for each tenant."""
    columns = ("tenant", "org", "month", "CHF to date", "CHF forecast")
    rows = [[found[key] for key in ("tenant", "org", "period", "to_date", "forecast")] for found in documents]
    return Table(columns, rows, _AMOUNTS)


def _details(documents: Iterable[dict[str, Any]]) -> Table:
    """One row for each charge of a tenant, and their sum."""
    return Table(("tenant", "month", "charge", "CHF to date", "CHF forecast"), _charges(documents), _AMOUNTS)


def _charges(documents: Iterable[dict[str, Any]]) -> Iterator[list[str]]:
    from pieced_cli.bill import TITLES  # noqa: PLC0415 - rich is slow to load

    for found in documents:
        of_tenant = [found["tenant"], found["period"]]
        for charge in found["charges"]:
            title = TITLES.get(charge["kind"], charge["kind"])
            name = f"{title}: {charge['package']}" if charge["package"] else title
            yield [*of_tenant, name, charge["to_date"], charge["forecast"]]
        yield [*of_tenant, "total without VAT", found["to_date"], found["forecast"]]
