"""Invoices and credit notes as e-mails: which are to be sent, and the message of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pieced_billing.calendar import Month
from pieced_billing.documents.store import invoice_pdf, load_invoice_document
from pieced_billing.invoicing.number import Counters, NumberSeries, year_and_count
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.mail.invoice_letter import invoice_letter
from pieced_billing.mail.message import Party, message, message_id
from pieced_billing.mail.outbox import Entry, MailKind, put, put_again, revive, sent_among, waiting, withdraw
from pieced_billing.mail.senders import senders
from pieced_billing.mail.sending import Compose, Envelope
from pieced_billing.mail.unsent import unsent
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import database_id, load_settings

_DELIVERED: Final = "Delivered by other means."


@dataclass(frozen=True, slots=True)
class Chosen:
    """The invoices that somebody wants sent: these numbers, those of a month, or, of neither, all that wait.

    `again` wants these numbers sent also if they were.
    """

    numbers: tuple[str, ...] = ()
    month: Month | None = None
    again: bool = False

    @property
    def waiting(self) -> bool:
        """Whether it is all that wait."""
        return not self.numbers and self.month is None


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be sent of what was chosen, and how much of it was sent before."""

    entries: list[Entry]
    sent_before: int = 0


def choose(connection: Connection, chosen: Chosen) -> Due:
    """Put into the outbox what was never in it, and try now what waits or is parked, in the caller's transaction.

    Who names a number wants it sent, also if it was not to be sent any more. Raises UnknownInvoice.
    """
    if chosen.waiting:
        return Due(waiting(connection, MailKind.INVOICE, None))
    numbers = _put(connection, chosen)
    if chosen.again:
        put_again(connection, MailKind.INVOICE, numbers)
    revive(connection, MailKind.INVOICE, numbers, withdrawn=bool(chosen.numbers))
    sent_before = sent_among(connection, MailKind.INVOICE, numbers)
    return Due(waiting(connection, MailKind.INVOICE, numbers), sent_before)


def choose_delivered(connection: Connection, chosen: Chosen) -> int:
    """Never send what was chosen, because it was delivered by other means; returns how many that keeps back.

    In the caller's transaction. Raises UnknownInvoice.
    """
    if chosen.waiting:
        numbers = [message.subject for message in unsent(connection) if message.kind is MailKind.INVOICE]
    else:
        numbers = _put(connection, chosen)
    return withdraw(connection, MailKind.INVOICE, numbers, _DELIVERED)


def sealed_first(connection: Connection, entries: Sequence[Entry], counters: Counters) -> tuple[list[Entry], list[str]]:
    """The entries whose numbers are sealed, and the numbers of the others, which nobody may be sent yet (ADR 0024)."""
    query = "SELECT number, issuing_entity, series FROM invoices WHERE number = ANY(%s)"
    rows = connection.execute(query, [[entry.subject for entry in entries]])
    counted_by = {number: (entity, series) for number, entity, series in rows}
    sealed, unsealed = list[Entry](), list[str]()
    for entry in entries:
        year, count = year_and_count(entry.subject)
        if count <= counters.get(NumberSeries(*counted_by[entry.subject], year), 0):
            sealed.append(entry)
        else:
            unsealed.append(entry.subject)
    return sealed, unsealed


def invoice_composer(connection: Connection, entries: Sequence[Entry]) -> Compose:
    """Writes the message of each entry, with its document. Raises NotDescribed and NoSender.

    The document is stored before the message is sent, so that what a customer has is what we have.
    """
    query = "SELECT DISTINCT issuing_entity FROM invoices WHERE number = ANY(%s)"
    entities = [row[0] for row in connection.execute(query, [[entry.subject for entry in entries]])]
    writers, database = senders(connection, entities), database_id(connection)

    def compose(entry: Entry, address: str) -> Envelope:
        pdf = invoice_pdf(connection, entry.subject)
        invoice = load_invoice_document(connection, entry.subject)
        sender, recipient = writers[invoice.supplier.name], Party(invoice.recipient["name"] or "", address)
        made_id = message_id(database, entry.kind, entry.subject, entry.copy, sender)
        letter, now = invoice_letter(invoice, pdf), load_settings(connection).now
        return Envelope(message(letter, sender, recipient, made_id, now), sender, recipient)

    return compose


def _put(connection: Connection, chosen: Chosen) -> list[str]:
    """Put what was chosen by number or month into the outbox; returns the numbers."""
    rows = connection.execute(
        """SELECT number, zitadel_org_id FROM invoices
        WHERE number = ANY(%(numbers)s) OR period_start = %(month)s ORDER BY id""",
        {"numbers": list(chosen.numbers), "month": chosen.month.first if chosen.month else None},
    ).fetchall()
    found = {number for number, _ in rows}
    for number in chosen.numbers:
        if number not in found:
            raise UnknownInvoice(number)
    put(connection, MailKind.INVOICE, rows)
    return [number for number, _ in rows]
