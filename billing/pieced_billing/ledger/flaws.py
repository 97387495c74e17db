"""What a verification finds: rows of the ledger that are not as they were recorded."""

from enum import StrEnum
from typing import NamedTuple


class What(StrEnum):
    """What became of a row.

    TRUNCATED: it was among the last of its chain and is gone. REWRITTEN: the chain is whole, but not the one that was
    sealed.
    """

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


class Flaw(NamedTuple):
    """A row that is not as it was recorded.

    `seq` is the number of an event, `link` that of any row in its tenant's chain; None where it cannot be told.
    """

    what: What
    table: str
    seq: int | None
    link: int | None
    reason: str


class Finding(NamedTuple):
    """A flaw of one tenant's rows; `tenant` is its name, None where no row tells it any more."""

    tenant: str | None
    uid: str
    flaw: Flaw

    def document(self) -> dict[str, str | int | None]:
        """The same as JSON values."""
        flaw = self.flaw
        return {
            "what": str(flaw.what),
            "table": flaw.table,
            "tenant": self.tenant,
            "uid": self.uid,
            "seq": flaw.seq,
            "link": flaw.link,
            "reason": flaw.reason,
        }

    def sentence(self) -> str:
        """The same for a person, as: tenant_skill_events of acme (6f1c), seq 3: edited, because …"""
        flaw = self.flaw
        number = f"seq {flaw.seq}" if flaw.seq is not None else "a row" if flaw.link is None else f"link {flaw.link}"
        return f"{flaw.table} of {self.tenant or 'a tenant'} ({self.uid}), {number}: {flaw.what}; {flaw.reason}"
