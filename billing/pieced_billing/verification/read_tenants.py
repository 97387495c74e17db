"""The facts of tenants, read for a verification, and which of their rows are not as they were recorded."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pieced_billing.calendar import Microseconds, to_microseconds
from pieced_billing.ledger.chain_walk import ChainWalk
from pieced_billing.ledger.flaws import Finding
from pieced_billing.ledger.linked_rows import LinkedRows, Subject
from pieced_billing.verification.tenant_facts import Row, TenantFacts


def read_tenants(ledger: LinkedRows, uids: Sequence[str]) -> Iterator[tuple[TenantFacts, list[Finding]]]:
    """The facts of these UIDs, each with what is wrong with its rows; all in one moment of the ledger."""
    for subject, entries in ledger.entries(ledger.chosen(uids)):
        facts = TenantFacts(subject.uid, _row(subject))
        rows = list(entries)
        for entry in rows:
            facts.take(entry)
        if facts.agrees(subject.chain):
            yield facts, []
            continue
        walk = ChainWalk()
        for entry in rows:
            walk.take(entry)
        tenant = None if subject.row is None else subject.row["tenant_name"]
        yield facts, [Finding(tenant, subject.uid, flaw) for flaw in walk.flaws(subject.chain)]


def _row(subject: Subject) -> Row | None:
    row = subject.row
    if row is None:
        return None
    tenant, created_at = row["tenant_name"], _instant(row, "created_at")
    assert tenant is not None, "a column that is never null"
    assert created_at is not None, "a column that is never null"
    return Row(tenant, created_at, _instant(row, "deleted_at"))


def _instant(row: Mapping[str, str | None], name: str) -> Microseconds | None:
    text = row[name]
    return None if text is None else to_microseconds(datetime.fromisoformat(text))
