"""What waits in the outbox or is parked, for people and programs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pieced_billing.ledger.export import instant_text
from pieced_billing.mail.outbox import MailKind
from pieced_billing.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that was not sent so far; `parked_at` is when it was given up until somebody does something."""

    kind: MailKind
    subject: str
    org: str
    recipient: str | None
    created_at: datetime
    attempts: int
    next_attempt_at: datetime
    parked_at: datetime | None
    reason: str | None

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "kind": self.kind.value,
            "subject": self.subject,
            "org": self.org,
            "recipient": self.recipient,
            "created_at": instant_text(self.created_at),
            "attempts": self.attempts,
            "next_attempt_at": None if self.parked_at else instant_text(self.next_attempt_at),
            "parked_at": instant_text(self.parked_at) if self.parked_at else None,
            "reason": self.reason,
        }


def unsent(connection: Connection) -> list[Unsent]:
    """Every message that waits or is parked, the oldest first."""
    rows = connection.execute(
        """SELECT kind, subject, zitadel_org_id, email_tried, created_at, attempts, next_attempt_at, parked_at, reason
        FROM mail_outbox WHERE sent_at IS NULL AND withdrawn_at IS NULL ORDER BY id"""
    )
    return [Unsent(MailKind(kind), *rest) for kind, *rest in rows]
