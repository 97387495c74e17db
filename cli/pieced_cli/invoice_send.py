"""`pieced invoice send`: invoices and credit notes to their customers, by e-mail."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pieced_billing.calendar import Month
from pieced_billing.errors import UsageError
from pieced_billing.invoicing.seal_required import SealUnknown, numbers_are_sealed
from pieced_billing.ledger.seal_keys import public_key
from pieced_billing.mail.invoice_mails import Chosen, choose, choose_delivered, invoice_composer, sealed_first
from pieced_billing.mail.outbox import Entry, MailKind
from pieced_billing.mail.settings import smtp_settings
from pieced_billing.mail.smtp import SmtpServer
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import database_id
from pieced_cli.database import database
from pieced_cli.mailing import Mailing
from pieced_cli.output import Format, Output
from pieced_cli.seal_options import SealKeyOption, SealNamespace
from pieced_cli.values import MonthOption
from pieced_operator.names import SEALS_NAMESPACE

_SealKey: TypeAlias = Annotated[
    Path | None,
    SealKeyOption(help="The Ed25519 key of the seal, public or private, where the invoice numbers are sealed."),
]


def send_invoices(  # noqa: PLR0913 - each is an option of the command
    numbers: Annotated[list[str] | None, typer.Argument(help="Their numbers.", metavar="NUMBER")] = None,
    *,
    month: Annotated[Month | None, MonthOption("--month", help="All of this month.")] = None,
    waiting: Annotated[bool, typer.Option("--pending", help="All that wait to be sent.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send NUMBER also if it was sent: to another e-mail, after a bounce.")
    ] = False,
    delivered: Annotated[
        bool, typer.Option("--delivered", help="Send nothing: they were delivered by other means.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent to whom; send nothing.")] = False,
    seal_key: _SealKey = None,
    seal_namespace: SealNamespace = SEALS_NAMESPACE,
    output: Output = Format.TABLE,
) -> None:
    """Send invoices and credit notes to their organisations with the PDF attached, each once however often it runs.

    Exit status 1 says that something waits for a person: a server refused a message for good, or there is no address.
    """
    if [bool(numbers), month is not None, waiting].count(True) != 1:
        raise UsageError("Either NUMBER..., --month YYYY-MM or --pending says which invoices are meant.")
    if delivered and dry_run:
        raise UsageError("--delivered sends nothing anyway; --dry-run does not go with it.")
    if again and (delivered or not numbers):
        raise UsageError("--again sends what was sent before, and only what is named: it needs NUMBER... alone.")
    chosen = Chosen(tuple(numbers or ()), month, again)
    with database() as connection:
        if delivered:
            kept_back = choose_delivered(connection, chosen)
            print(f"{kept_back} {'message' if kept_back == 1 else 'messages'} will not be sent.")
            return
        settings = None if dry_run else smtp_settings(os.environ)
        with connection.transaction(force_rollback=dry_run):
            due = choose(connection, chosen)
        mailing = Mailing(MailKind.INVOICE, dry_run=dry_run, sent_before=due.sent_before, with_earlier=chosen.waiting)
        entries, mailing.unsealed = _sealed(connection, due.entries, seal_key, seal_namespace)
        with connection.transaction():
            compose = invoice_composer(connection, entries)
        if settings is None:
            mailing.foresee(entries)
            mailing.end(connection, output)
            return
        with mailing.told_at_the_end(connection, output), SmtpServer(settings) as server:
            mailing.send(connection, entries, compose, server)


def _sealed(
    connection: Connection, entries: Sequence[Entry], key: Path | None, namespace: str
) -> tuple[list[Entry], list[str]]:
    """The entries that may be sent, and the numbers of those that may not yet: all may where no number is sealed.

    Whether numbers are sealed is asked after the entries were read: a run says so before it gives its first number.
    """
    if not numbers_are_sealed(connection):
        return list(entries), []
    if key is None:
        raise SealUnknown
    from pieced_cli.kubernetes import with_cluster  # noqa: PLC0415 - the operator's libraries take a second to load
    from pieced_operator.published_numbers import read_numbers  # noqa: PLC0415

    opened = public_key(key)
    with connection.transaction():
        own = database_id(connection)
    sealed = with_cluster(lambda cluster: read_numbers(cluster, namespace, opened, own))
    with connection.transaction():
        return sealed_first(connection, entries, {} if sealed is None else sealed.counters)
