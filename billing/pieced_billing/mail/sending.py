"""Sending what waits in the outbox: each message once, whoever else is sending, and none holds up the others.

Between the server's consent and our commit there is one statement; a process that dies right there leaves a message
that was sent and does not say so. It is sent again, under the same Message-ID.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from typing import TypeAlias

from pieced_billing import faults
from pieced_billing.errors import Refused, Unavailable
from pieced_billing.mail.address import mail_address
from pieced_billing.mail.message import Party
from pieced_billing.mail.outbox import ATTEMPTS, Entry, claim, lock, note_failure, note_sent, note_unsendable
from pieced_billing.mail.smtp import Deferred, Rejected, SmtpServer
from pieced_billing.store.connections import Connection


class Fate(StrEnum):
    """What became of a message."""

    DUE = "due"
    """It would be sent now."""
    SENT = "sent"
    WAITING = "waiting"
    """The server did not take it now; it is tried again."""
    PARKED = "parked"
    """Nobody tries it again before somebody did something."""
    UNADDRESSED = "unaddressed"
    """Its organisation has no e-mail address that can be one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message and what became of it, with the reason if it was not sent."""

    entry: Entry
    fate: Fate
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message ready to go, and who writes it to whom."""

    message: EmailMessage
    sender: Party
    recipient: Party


Compose: TypeAlias = Callable[[Entry, str], Envelope]
"""The message of an entry to an address, in the caller's transaction; raises Refused where there can be none."""


def send(connection: Connection, entries: Iterable[Entry], compose: Compose, server: SmtpServer) -> Iterator[Sent]:
    """Send messages one after another; what somebody else is sending or has sent is passed over.

    Raises Unavailable when the server takes nothing at all: what was not tried then is as if nothing had been. The
    connection must not be inside a transaction.
    """
    for entry in entries:
        address = mail_address(entry.email or "")
        if address is None:
            yield _unaddressed(connection, entry)
            continue
        server.connect()
        sent = _send(connection, entry, address, compose, server)
        if sent is not None:
            yield sent


def unaddressed(entry: Entry) -> str:
    """Why there is nobody to send a message to, as a sentence."""
    has = f"the e-mail {entry.email!r}, which is no address" if entry.email else "no e-mail address"
    return f"Organisation {entry.org} has {has}; give it one with `pieced org apply`."


def _unaddressed(connection: Connection, entry: Entry) -> Sent:
    reason = unaddressed(entry)
    with connection.transaction():
        if lock(connection, entry):
            note_failure(connection, entry, reason, parked=False)
    return Sent(entry, Fate.UNADDRESSED, reason)


def _send(connection: Connection, entry: Entry, address: str, compose: Compose, server: SmtpServer) -> Sent | None:
    try:
        with connection.transaction():
            attempt = claim(connection, entry)
            if attempt is None:
                return None
            envelope = compose(entry, address)
    except Refused as refusal:
        with connection.transaction():
            if lock(connection, entry):
                note_unsendable(connection, entry, str(refusal))
        return Sent(entry, Fate.PARKED, str(refusal))
    faults.point("mail.after_claim")
    with connection.transaction():
        if not lock(connection, entry):
            return None
        sent, outage = _deliver(entry, attempt, envelope, server)
        if sent.reason is None:
            note_sent(connection, entry)
        else:
            note_failure(connection, entry, sent.reason, parked=sent.fate is Fate.PARKED)
    faults.point("mail.after_commit")
    if outage is not None:
        raise outage
    return sent


def _deliver(entry: Entry, attempt: int, envelope: Envelope, server: SmtpServer) -> tuple[Sent, Unavailable | None]:
    """What becomes of a message, and the outage that ends the run."""
    try:
        server.deliver(envelope.message, envelope.sender.address, envelope.recipient.address)
    except Unavailable as outage:
        return Sent(entry, Fate.WAITING, str(outage)), outage
    except Deferred as answer:
        return _deferred(entry, attempt, str(answer)), None
    except Rejected as answer:
        return Sent(entry, Fate.PARKED, str(answer)), None
    faults.point("mail.after_acceptance")
    return Sent(entry, Fate.SENT), None


def _deferred(entry: Entry, attempt: int, reason: str) -> Sent:
    if attempt < ATTEMPTS:
        return Sent(entry, Fate.WAITING, reason)
    return Sent(entry, Fate.PARKED, f"Tried {attempt} times; the last time: {reason}")
