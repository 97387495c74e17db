"""What every command that sends e-mails says of it: what became of each message, and whether a person has to act."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer

from pieced_billing.mail.address import mail_address
from pieced_billing.mail.outbox import Entry, MailKind
from pieced_billing.mail.sending import Compose, Fate, Sent, send, unaddressed
from pieced_billing.mail.smtp import SmtpServer
from pieced_billing.mail.unsent import unsent
from pieced_billing.store.connections import Connection
from pieced_cli.output import Format, Table, show


@dataclass
class Mailing:
    """One run of a sending command; `with_earlier` also tells of what earlier runs parked."""

    kind: MailKind
    dry_run: bool = False
    sent_before: int = 0
    with_earlier: bool = False
    unsealed: list[str] = field(default_factory=list)
    fates: list[Sent] = field(default_factory=list)

    def send(self, connection: Connection, entries: Sequence[Entry], compose: Compose, server: SmtpServer) -> None:
        """Send; raises Unavailable when the server takes nothing."""
        self.fates.extend(send(connection, entries, compose, server))

    def foresee(self, entries: Sequence[Entry]) -> None:
        """Say what would be sent."""
        for entry in entries:
            reason = None if mail_address(entry.email or "") else unaddressed(entry)
            self.fates.append(Sent(entry, Fate.UNADDRESSED if reason else Fate.DUE, reason))

    @contextmanager
    def told_at_the_end(self, connection: Connection, output: Format) -> Iterator[None]:
        """Say what became of everything, also when the sending was given up."""
        try:
            yield
        except BaseException:
            if self.fates:
                self._print([_document(sent) for sent in self.fates], output)
            raise
        self.end(connection, output)

    def end(self, connection: Connection, output: Format) -> None:
        """Print the result; exit status 1 when something waits for a person."""
        documents = self._documents(connection)
        self._print(documents, output)
        if any(document["fate"] in {Fate.PARKED, Fate.UNADDRESSED} for document in documents):
            raise typer.Exit(1)

    def _documents(self, connection: Connection) -> list[dict[str, Any]]:
        documents = [_document(sent) for sent in self.fates]
        said = {sent.entry.subject for sent in self.fates}
        if self.with_earlier:
            with connection.transaction():
                parked = [one for one in unsent(connection) if one.kind is self.kind and one.parked_at is not None]
            documents += [
                _row(one.subject, one.org, one.recipient, Fate.PARKED, one.reason)
                for one in parked
                if one.subject not in said
            ]
        return documents

    def _print(self, documents: Sequence[dict[str, Any]], output: Format) -> None:
        if output is not Format.TABLE:
            document = {
                "dry_run": self.dry_run,
                "messages": documents,
                "unsealed": self.unsealed,
                "sent_before": self.sent_before,
            }
            show(document, Table((), ()), output)
            return
        print(self._summary(documents))
        rows = [tuple(document[name] or "" for name in document) for document in documents]
        told = rows if self.dry_run else [row for row in rows if row[3] != Fate.SENT]
        if told:
            show(None, Table(("message", "org", "e-mail", "fate", "reason"), told), output)

    def _summary(self, documents: Sequence[dict[str, Any]]) -> str:
        counts = {fate: sum(document["fate"] == fate for document in documents) for fate in Fate}
        parts = [f"{counts[Fate.DUE]} would be sent" if self.dry_run else f"{counts[Fate.SENT]} sent"]
        parts += [f"{counts[fate]} {name}" for fate, name in _NAMES if counts[fate]]
        if self.unsealed:
            parts.append(f"{len(self.unsealed)} held back until their numbers are sealed (`pieced invoice run`)")
        if self.sent_before:
            parts.append(f"{self.sent_before} sent before")
        return "; ".join(parts) + "."


_NAMES = (
    (Fate.WAITING, "to be tried again"),
    (Fate.PARKED, "parked"),
    (Fate.UNADDRESSED, "without an e-mail address"),
)


def _document(sent: Sent) -> dict[str, Any]:
    return _row(sent.entry.subject, sent.entry.org, sent.entry.email, sent.fate, sent.reason)


def _row(subject: str, org: str, email: str | None, fate: Fate, reason: str | None) -> dict[str, Any]:
    return {"message": subject, "org": org, "email": email, "fate": fate.value, "reason": reason}
