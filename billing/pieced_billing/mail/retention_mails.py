"""The announcements that a suspended tenant's data is deleted, as e-mails: which are due now, and the message of each.

They follow from how things stand: who was resumed meanwhile is not written to, and of two announcements that could not
be sent in time only the later goes out.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pieced_billing.invoicing.issue import FALLBACK_LANGUAGE
from pieced_billing.ledger.export import instant_text
from pieced_billing.mail.message import Party, message, message_id
from pieced_billing.mail.outbox import Entry, MailKind, bring_back, put, waiting, withdraw
from pieced_billing.mail.retention_letter import Deletion, retention_letter
from pieced_billing.mail.senders import senders
from pieced_billing.mail.sending import Compose, Envelope
from pieced_billing.mail.unsent import unsent
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.issuing_terms import issuer_of
from pieced_billing.parties.load import load_organisations
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import database_id, load_settings

_OVER: Final = "What it announced is no more so: the tenant was resumed or deleted, or a later announcement is due."


def choose_due(connection: Connection, deletions: Iterable[Deletion]) -> tuple[list[Entry], Mapping[str, Deletion]]:
    """Put what is to be announced now into the outbox, and keep back what is no more so, in the caller's transaction.

    Returns what is to be sent, and all that is announced by the subjects of their messages.
    """
    announced = {_subject(deletion): deletion for deletion in deletions}
    put(connection, MailKind.RETENTION, [(subject, deletion.org) for subject, deletion in announced.items()])
    bring_back(connection, MailKind.RETENTION, list(announced))
    before = [one.subject for one in unsent(connection) if one.kind is MailKind.RETENTION]
    over = [subject for subject in before if subject not in announced]
    withdraw(connection, MailKind.RETENTION, over, _OVER)
    return waiting(connection, MailKind.RETENTION, list(announced)), announced


def retention_composer(connection: Connection, announced: Mapping[str, Deletion]) -> Compose:
    """Writes the message of each entry, in the language of its organisation and from who issues its invoices."""
    database, issuers = database_id(connection), load_issuing_terms(connection)

    def compose(entry: Entry, address: str) -> Envelope:
        settings = load_settings(connection)
        organisation = load_organisations(connection, [entry.org])[entry.org]
        issuer = issuer_of(organisation, issuers).issuer
        sender = senders(connection, [issuer])[issuer]
        language = organisation.language or FALLBACK_LANGUAGE
        letter = retention_letter(announced[entry.subject], language, settings.zone, sender.name)
        recipient = Party(organisation.name or "", address)
        made_id = message_id(database, entry.kind, entry.subject, entry.copy, sender)
        return Envelope(message(letter, sender, recipient, made_id, settings.now), sender, recipient)

    return compose


def _subject(deletion: Deletion) -> str:
    """What makes an announcement one: another date of deletion is announced anew."""
    return f"{deletion.tenant} {deletion.uid} {instant_text(deletion.due_at)} {deletion.days}"
