"""`pieced mail`: what waits in the outbox."""

import typer

from pieced_cli.output import Format, Output, Table, show

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _mail() -> None:
    """E-mails to customers that were not sent so far."""


@app.command("pending")
def pending(output: Output = Format.TABLE) -> None:
    """List what waits or is parked, the oldest first, with the reason."""
    from pieced_billing.mail.unsent import unsent  # noqa: PLC0415 - libraries are loaded when they are needed
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        documents = [message.document() for message in unsent(connection)]
    columns = ("kind", "subject", "org", "recipient", "attempts", "next_attempt_at", "parked_at", "reason")
    rows = [["" if document[name] is None else str(document[name]) for name in columns] for document in documents]
    show(documents, Table(columns, rows, frozenset({"attempts"})), output)
