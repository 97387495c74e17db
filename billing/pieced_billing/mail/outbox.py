"""The outbox: one row for each message that there is to send, whatever becomes of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from pieced_billing.store.connections import Connection

ATTEMPTS: Final = 12
"""So often is a message tried, in a day and a half, before it is parked."""
_FIRST_PAUSE: Final = timedelta(minutes=10)
_LONGEST_PAUSE: Final = timedelta(hours=4)


class MailKind(StrEnum):
    """What messages there are."""

    INVOICE = "invoice"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that waits: what it is about, of which organisation, and its e-mail as it is said now.

    `copy` is 1, or more where it was sent before and is to be sent again.
    """

    id: int
    kind: MailKind
    subject: str
    org: str
    email: str | None
    copy: int


def pause_after(attempts: int) -> timedelta:
    """How long a message waits after so many attempts.

    >>> [str(pause_after(attempts)) for attempts in (1, 2, 6, 12)]
    ['0:10:00', '0:20:00', '4:00:00', '4:00:00']
    """
    return min(_FIRST_PAUSE * (1 << attempts - 1), _LONGEST_PAUSE)


def waiting(connection: Connection, kind: MailKind, subjects: Sequence[str] | None) -> list[Entry]:
    """What is to be sent now of a kind, or of these subjects, the oldest first.

    A message that is parked is among them once its organisation has another e-mail than the one that was refused, and
    always where it could not even be written.
    """
    rows = connection.execute(
        """SELECT id, kind, subject, zitadel_org_id, email, copy
        FROM mail_outbox LEFT JOIN org_billing_config USING (zitadel_org_id)
        WHERE sent_at IS NULL AND withdrawn_at IS NULL AND kind = %(kind)s
            AND (%(all)s OR subject = ANY(%(subjects)s))
            AND CASE WHEN parked_at IS NULL THEN next_attempt_at <= clock_timestamp()
                ELSE email IS DISTINCT FROM email_tried END
        ORDER BY id""",
        {"kind": kind, "all": subjects is None, "subjects": [] if subjects is None else list(subjects)},
    )
    return [Entry(id_, MailKind(kind), *rest) for id_, kind, *rest in rows]


def sent_among(connection: Connection, kind: MailKind, subjects: Sequence[str]) -> int:
    """How many of these messages were sent, and are not to be sent again."""
    row = connection.execute(
        """SELECT count(*) FROM (
            SELECT FROM mail_outbox WHERE kind = %s AND subject = ANY(%s)
            GROUP BY subject HAVING bool_and(sent_at IS NOT NULL)) AS sent""",
        [kind, list(subjects)],
    ).fetchone()
    assert row is not None
    return int(row[0])


def claim(connection: Connection, entry: Entry) -> int | None:
    """Count an attempt and keep others away for the pause that follows it; the attempt's number.

    None where the message is somebody else's by now. In a transaction of its own: an attempt that kills its process is
    counted, and the messages after it have their turn.
    """
    row = connection.execute(
        """SELECT attempts + 1 FROM mail_outbox
        WHERE id = %s AND sent_at IS NULL AND withdrawn_at IS NULL AND next_attempt_at <= clock_timestamp()
        FOR UPDATE SKIP LOCKED""",
        [entry.id],
    ).fetchone()
    if row is None:
        return None
    attempt: int = row[0]
    connection.execute(
        """UPDATE mail_outbox SET attempts = %s, next_attempt_at = clock_timestamp() + %s, email_tried = %s,
            parked_at = NULL, reason = NULL
        WHERE id = %s""",
        [attempt, pause_after(attempt), entry.email, entry.id],
    )
    return attempt


def lock(connection: Connection, entry: Entry) -> bool:
    """Hold a message until the transaction ends; whether it is still to be sent, and by nobody else."""
    row = connection.execute(
        "SELECT FROM mail_outbox WHERE id = %s AND sent_at IS NULL AND withdrawn_at IS NULL FOR UPDATE SKIP LOCKED",
        [entry.id],
    ).fetchone()
    return row is not None


def note_sent(connection: Connection, entry: Entry) -> None:
    """The server has the message."""
    connection.execute(
        "UPDATE mail_outbox SET sent_at = clock_timestamp(), parked_at = NULL, reason = NULL WHERE id = %s", [entry.id]
    )


def note_failure(connection: Connection, entry: Entry, reason: str, *, parked: bool) -> None:
    """The message was not taken; where it is parked it waits for somebody to do something."""
    connection.execute(
        """UPDATE mail_outbox SET reason = %(reason)s, parked_at = CASE WHEN %(parked)s THEN clock_timestamp() END,
            next_attempt_at = CASE WHEN %(parked)s THEN clock_timestamp() ELSE next_attempt_at END
        WHERE id = %(id)s""",
        {"reason": reason, "parked": parked, "id": entry.id},
    )


def note_unsendable(connection: Connection, entry: Entry, reason: str) -> None:
    """There can be no such message as things stand. It is parked, and looked at again each time."""
    connection.execute(
        """UPDATE mail_outbox SET reason = %s, parked_at = clock_timestamp(), email_tried = NULL,
            next_attempt_at = clock_timestamp()
        WHERE id = %s""",
        [reason, entry.id],
    )


def revive(connection: Connection, kind: MailKind, subjects: Sequence[str], *, withdrawn: bool) -> None:
    """Let messages be tried now that wait or are parked and, if `withdrawn`, those that were to stay unsent."""
    connection.execute(
        """UPDATE mail_outbox
        SET parked_at = NULL, withdrawn_at = NULL, attempts = 0, next_attempt_at = clock_timestamp()
        WHERE id IN (
            SELECT id FROM mail_outbox WHERE kind = %s AND subject = ANY(%s) AND sent_at IS NULL
                AND (%s OR withdrawn_at IS NULL)
            FOR UPDATE SKIP LOCKED
        )""",
        [kind, list(subjects), withdrawn],
    )


def bring_back(connection: Connection, kind: MailKind, subjects: Sequence[str]) -> None:
    """Let messages be sent after all that were not to be sent any more."""
    connection.execute(
        """UPDATE mail_outbox SET withdrawn_at = NULL, reason = NULL
        WHERE kind = %s AND subject = ANY(%s) AND withdrawn_at IS NOT NULL AND sent_at IS NULL""",
        [kind, list(subjects)],
    )


def withdraw(connection: Connection, kind: MailKind, subjects: Sequence[str], reason: str) -> int:
    """Never send these messages; returns how many that keeps back: none that is sent or being sent."""
    done = connection.execute(
        """UPDATE mail_outbox SET withdrawn_at = clock_timestamp(), parked_at = NULL, reason = %s
        WHERE id IN (
            SELECT id FROM mail_outbox
            WHERE kind = %s AND subject = ANY(%s) AND sent_at IS NULL AND withdrawn_at IS NULL
            FOR UPDATE SKIP LOCKED
        )""",
        [reason, kind, list(subjects)],
    )
    return done.rowcount


def put(connection: Connection, kind: MailKind, messages: Iterable[tuple[str, str]]) -> None:
    """Put messages (subject, organisation) into the outbox that were never in it."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO mail_outbox (kind, subject, zitadel_org_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(kind, subject, org) for subject, org in messages],
        )


def put_again(connection: Connection, kind: MailKind, subjects: Sequence[str]) -> None:
    """Put another copy of messages into the outbox, of which every copy so far was sent."""
    connection.execute(
        """INSERT INTO mail_outbox (kind, subject, zitadel_org_id, copy)
        SELECT kind, subject, zitadel_org_id, max(copy) + 1 FROM mail_outbox WHERE kind = %s AND subject = ANY(%s)
        GROUP BY kind, subject, zitadel_org_id HAVING bool_and(sent_at IS NOT NULL)
        ON CONFLICT DO NOTHING""",
        [kind, list(subjects)],
    )
