"""`pieced ledger verify`: whether every row of the ledger is as it was recorded, and which rows are not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from psycopg import IsolationLevel

from pieced_billing.ledger.chain import Entry
from pieced_billing.ledger.chain_walk import ChainWalk
from pieced_billing.ledger.flaws import Finding
from pieced_billing.ledger.linked_rows import LinkedRows, Subject
from pieced_billing.ledger.seal import Head
from pieced_billing.ledger.sealed_chain import SealedChain
from pieced_billing.ledger.tenant_row import TenantFold, row_flaws
from pieced_billing.store.connections import Connection

if TYPE_CHECKING:
    from pieced_billing.ledger.seal_file import SealFile

SHOWN: Final = 1000
"""So many findings are kept; of more only their number is."""


@dataclass(slots=True)
class Verified:
    """How much was looked at, and what was found; `sealed_at` is the instant of the seal that it was compared with."""

    sealed_at: str | None = None
    tenants: int = 0
    rows: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, findings: Iterable[Finding]) -> None:
        """Count findings and keep the first."""
        for finding in findings:
            self.found += 1
            if len(self.findings) < SHOWN:
                self.findings.append(finding)

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "sealed_at": self.sealed_at,
            "tenants": self.tenants,
            "rows": self.rows,
            "found": self.found,
            "findings": [finding.document() for finding in self.findings],
        }


def verify(connection: Connection, sealed: "SealFile | None" = None) -> Verified:
    """Recompute every chain from its rows, as one moment shows them, and compare it with the end that was sealed.

    Nobody has to wait meanwhile. `connection` must not be inside a transaction. In memory are the sealed
    heads, some thousands of tenants' ends, and rows one by one.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    verified = Verified(None if sealed is None else sealed.seal.sealed_at)
    heads = iter(()) if sealed is None else sealed.heads()
    with connection.transaction():
        for subject, entries, head in _beside(LinkedRows(connection), heads):
            verified.note(_findings(subject, entries, head, verified))
    return verified


def _beside(ledger: LinkedRows, heads: Iterator[Head]) -> Iterator[tuple[Subject, Iterator[Entry], Head | None]]:
    """Every tenant UID of the ledger or the seal, by code points, with its rows and its sealed head."""
    head = next(heads, None)
    for batch in ledger.subjects():
        for subject, entries in ledger.entries(batch):
            while head is not None and head.uid < subject.uid:
                yield _gone(head)
                head = next(heads, None)
            if head is not None and head.uid == subject.uid:
                yield subject, entries, head
                head = next(heads, None)
            else:
                yield subject, entries, None
    while head is not None:
        yield _gone(head)
        head = next(heads, None)


def _gone(head: Head) -> tuple[Subject, Iterator[Entry], Head]:
    return Subject(head.uid, None, None, None), iter(()), head


def _findings(subject: Subject, entries: Iterable[Entry], head: Head | None, verified: Verified) -> Iterator[Finding]:
    """What is wrong with a tenant's rows."""
    walk, fold = ChainWalk(), TenantFold()
    sealed = None if head is None or verified.sealed_at is None else SealedChain(head, verified.sealed_at)
    for entry in entries:
        verified.rows += 1
        if walk.take(entry):
            fold.take(entry)
            if sealed is not None:
                sealed.take(entry)
    verified.tenants += 1
    flaws = list(walk.flaws(subject.chain))
    flaws += row_flaws(subject.row, subject.stamp, None if flaws else fold)
    if sealed is not None:
        flaws += list(sealed.flaws(subject.chain, has_row=subject.row is not None, found=flaws))
    tenant = subject.row["tenant_name"] if subject.row is not None else fold.tenant or (head and head.tenant)
    yield from (Finding(tenant, subject.uid, flaw) for flaw in flaws)
