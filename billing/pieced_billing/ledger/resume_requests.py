"""Requests to resume suspended tenants, as they are recorded: one pending for each tenant UID, each answered once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pieced_billing.errors import Refused
from pieced_billing.ledger.export import instant_text
from pieced_billing.store.connections import Connection


class Answer(StrEnum):
    """What became of a request."""

    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    """The tenant ran again before anybody answered."""


class ResumePending(Refused):
    """The tenant has a request that nobody has answered yet."""

    code = "resume_pending"

    def __init__(self, request: "ResumeRequest") -> None:
        made = f"made by {request.actor} at {instant_text(request.requested_at)}"
        super().__init__(f"A request to resume {request.tenant} is pending already, {made}.")


class NoResumePending(Refused):
    """There is nothing to answer."""

    code = "no_resume_pending"

    def __init__(self, tenant: str) -> None:
        super().__init__(f"No request to resume {tenant} is pending.")


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """A request by `actor` for one tenant UID, which has the `number`th of it."""

    uid: str
    tenant: str
    number: int
    actor: str
    note: str | None
    requested_at: datetime

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "tenant": self.tenant,
            "uid": self.uid,
            "requested_at": instant_text(self.requested_at),
            "actor": self.actor,
            "note": self.note,
        }


_PENDING: Final = """
SELECT tenant_uid, tenant_name, request, actor, note, recorded_at FROM tenant_resume_requests AS asked
WHERE event_kind = 'requested' AND (%(uid)s::text IS NULL OR tenant_uid = %(uid)s) AND NOT EXISTS (
    SELECT FROM tenant_resume_requests
    WHERE tenant_uid = asked.tenant_uid AND request = asked.request AND event_kind <> 'requested')
ORDER BY recorded_at, id
"""


def pending_requests(connection: Connection) -> list[ResumeRequest]:
    """Every request that waits for an answer, the oldest first."""
    return [ResumeRequest(*row) for row in connection.execute(_PENDING, {"uid": None})]


def pending_request(connection: Connection, uid: str) -> ResumeRequest | None:
    """The request of a tenant UID that waits for an answer."""
    row = connection.execute(_PENDING, {"uid": uid}).fetchone()
    return None if row is None else ResumeRequest(*row)


def record_request(connection: Connection, uid: str, tenant: str, actor: str, note: str | None) -> ResumeRequest:
    """Record a request, in the caller's transaction. Raises ResumePending while another one waits for its answer."""
    if (pending := pending_request(connection, uid)) is not None:
        raise ResumePending(pending)
    row = connection.execute(
        """INSERT INTO tenant_resume_requests (tenant_uid, tenant_name, request, event_kind, actor, note)
           SELECT %(uid)s, %(tenant)s, coalesce(max(request), 0) + 1, 'requested', %(actor)s, %(note)s
           FROM tenant_resume_requests WHERE tenant_uid = %(uid)s
           ON CONFLICT (tenant_uid, request) WHERE event_kind = 'requested' DO NOTHING
           RETURNING tenant_uid, tenant_name, request, actor, note, recorded_at""",
        {"uid": uid, "tenant": tenant, "actor": actor, "note": note},
    ).fetchone()
    if row is None:  # somebody else's, committed while we waited for it
        pending = pending_request(connection, uid)
        assert pending is not None
        raise ResumePending(pending)
    return ResumeRequest(*row)


def record_answer(
    connection: Connection, request: ResumeRequest, answer: Answer, actor: str, note: str | None
) -> datetime:
    """Record the answer to a request, in the caller's transaction, and return its time.

    Raises NoResumePending when somebody else has answered it.
    """
    row = connection.execute(
        """INSERT INTO tenant_resume_requests (tenant_uid, tenant_name, request, event_kind, actor, note)
           VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (tenant_uid, request) WHERE event_kind <> 'requested' DO NOTHING
           RETURNING recorded_at""",
        [request.uid, request.tenant, request.number, str(answer), actor, note],
    ).fetchone()
    if row is None:
        raise NoResumePending(request.tenant)
    answered_at: datetime = row[0]
    return answered_at
