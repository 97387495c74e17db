"""`pieced ledger verify`: whether every row of the ledger is as it was recorded, and which rows are not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import IsolationLevel

from pieced_billing.ledger.chain import Entry
from pieced_billing.ledger.chain_walk import ChainWalk
from pieced_billing.ledger.flaws import Finding
from pieced_billing.ledger.linked_rows import LinkedRows, Subject
from pieced_billing.ledger.tenant_row import TenantFold, row_flaws
from pieced_billing.store.connections import Connection

SHOWN: Final = 1000
"""So many findings are kept; of more only their number is."""


@dataclass(slots=True)
class Verified:
    """How much was looked at, and what was found."""

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
            "tenants": self.tenants,
            "rows": self.rows,
            "found": self.found,
            "findings": [finding.document() for finding in self.findings],
        }


def verify(connection: Connection) -> Verified:
    """Recompute every chain from its rows, as one moment shows them.

    Nobody has to wait meanwhile. `connection` must not be inside a transaction. In memory are some thousands of
    tenants' ends, and rows one by one.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    verified = Verified()
    with connection.transaction():
        ledger = LinkedRows(connection)
        for batch in ledger.subjects():
            for subject, entries in ledger.entries(batch):
                verified.note(_findings(subject, entries, verified))
    return verified


def _findings(subject: Subject, entries: Iterable[Entry], verified: Verified) -> Iterator[Finding]:
    """What is wrong with a tenant's rows."""
    walk, fold = ChainWalk(), TenantFold()
    for entry in entries:
        verified.rows += 1
        if walk.take(entry):
            fold.take(entry)
    verified.tenants += 1
    flaws = list(walk.flaws(subject.chain))
    flaws += row_flaws(subject.row, subject.stamp, None if flaws else fold)
    tenant = fold.tenant if subject.row is None else subject.row["tenant_name"]
    yield from (Finding(tenant, subject.uid, flaw) for flaw in flaws)
