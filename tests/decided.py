"""A tenant in the ledger, versions of it that are observed, and what is decided of them."""

from dataclasses import replace
from datetime import UTC, datetime

from pieced_billing.ledger.decide import Decision
from pieced_billing.ledger.observation import LedgerRow, Observation


def at(text: str) -> datetime:
    """An instant of the day that all these tests are about: "09:00:05" or "09:00:05.000001"."""
    return datetime.fromisoformat(f"2026-03-01T{text}").replace(tzinfo=UTC)


NEW = Observation(
    cluster_id="cluster",
    uid="u1",
    tenant="acme",
    org="310001",
    generation=1,
    created_at=at("09:00:00"),
    deleted_at=None,
    suspended=False,
    suspend_changed_at=at("09:00:00"),
    packages=frozenset(),
    packages_changed_at=at("09:00:00"),
    written_at=at("09:00:00"),
    seen_at=at("09:00:00.400"),
    manager="kubectl",
    source="watch",
)
"""The first version of a tenant, as the watch delivered it."""

KNOWN = LedgerRow(
    cluster_id="cluster",
    uid="u1",
    tenant="acme",
    org="310001",
    created_at=at("09:00:00"),
    generation=1,
    last_seq=1,
    last_event_at=at("09:00:00"),
    confirmed_at=at("09:30:00"),
)
"""What the ledger knows of it afterwards, confirmed half an hour later."""

LATER = replace(NEW, generation=2, written_at=at("10:00:00"), seen_at=at("10:00:00.300"))
"""A second version, seen as it was written at ten."""


def found(decision: Decision) -> list[tuple[str, str | None, datetime, str]]:
    return [(event.kind, event.package, event.occurred_at, event.quality) for event in decision.events]
