"""`pieced events`: what the ledger says of a tenant, as `pieced ledger show` does."""

import typer

from pieced_cli.ledger import show_tenant

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command("events")(show_tenant)
