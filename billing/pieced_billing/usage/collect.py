"""`pieced usage collect`: what a source counted becomes usage records, each once; how far it is complete is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pieced_billing import faults
from pieced_billing.calendar import Microseconds, to_microseconds
from pieced_billing.errors import Unavailable
from pieced_billing.ledger.import_ import ImportRefused, begin
from pieced_billing.ledger.record_usage import record_usage
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from pieced_billing.usage import watermarks
from pieced_billing.usage.coverage import SETTLING, Life, Stretch, at_once, joined, to_read
from pieced_billing.usage.source import Reading, Tenant, UsageSource, Warned

_BATCH_RECORDS: Final = 10_000
_BATCH_NAMES: Final = 500
_OUTAGES: Final = 3
"""After so many names in a row that a source does not answer for, it is not asked for more."""


@dataclass(slots=True)
class Collected:
    """What a collection recorded; failures and warnings by tenant, and names of nobody's whose usage is on no bill."""

    source: str
    tenants: int = 0
    records: int = 0
    repeats: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[tuple[str, Warned]] = field(default_factory=list)
    unclaimed: list[str] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """The same as JSON values."""
        return {
            "source": self.source,
            "tenants": self.tenants,
            "records": self.records,
            "repeats": self.repeats,
            "failures": [{"tenant": tenant, "reason": reason} for tenant, reason in self.failures],
            "warnings": [{"tenant": tenant, "code": one.code, "text": one.text} for tenant, one in self.warnings],
            "unclaimed": self.unclaimed,
        }


@dataclass(slots=True)
class _Name:
    """The tenants that a source knows by one name, by their beginnings, and what was read of them."""

    name: str
    tenants: list[Tenant]
    stretch: Stretch
    reading: Reading = field(init=False)
    warned: list[Warned | None] = field(default_factory=list)

    @property
    def lives(self) -> list[Life]:
        return [tenant.life for tenant in self.tenants]


def collect(
    connection: Connection, source: UsageSource, asked: datetime | None = None, before: datetime | None = None
) -> Collected:
    """Collect what happened from `asked` on (otherwise since the last time) and `before` an instant (otherwise now).

    What a source does not tell of a tenant is a failure of that tenant: it stays uncollected, and its invoices wait.
    Raises NeverCollected and BeingCollected. The connection must not be inside a transaction.
    """
    with watermarks.alone(connection, source.name):
        with connection.transaction():
            since, until = watermarks.expected_since(connection, source.name, asked)
            settled = to_microseconds(load_settings(connection).now) - SETTLING
            end = min([settled, *(to_microseconds(limit) for limit in (before, until) if limit is not None)])
            found = watermarks.tenants(connection, source.name)
        start = None if asked is None else to_microseconds(asked)
        outcome = Collected(source.name)
        batch: list[_Name] = []
        for name in _read(source, list(_due(source, found, to_microseconds(since), start, end))):
            batch.append(name)
            if len(batch) >= _BATCH_NAMES or sum(len(one.reading.lines) for one in batch) >= _BATCH_RECORDS:
                _record(connection, batch, outcome)
                batch = []
        _record(connection, batch, outcome)
        outcome.unclaimed = source.unclaimed({source.known_as(tenant) for tenant in found})
    return outcome


def _due(
    source: UsageSource, found: Sequence[Tenant], since: Microseconds, asked: Microseconds | None, end: Microseconds
) -> Iterator[_Name]:
    """The names of which there is something to read, each with the stretch that all its lives need."""
    by_name: dict[str, list[Tenant]] = {}
    for tenant in found:
        by_name.setdefault(source.known_as(tenant), []).append(tenant)
    for name, tenants in by_name.items():
        wanted = [stretch for one in tenants if (stretch := to_read(one.life, since, asked, end)) is not None]
        if wanted:
            yield _Name(name, tenants, Stretch(min(one.start for one in wanted), max(one.end for one in wanted)))


def _read(source: UsageSource, names: Sequence[_Name]) -> Iterator[_Name]:
    """Read name by name; where the source is out of order, the rest fails unread."""
    outages, reason = 0, ""
    try:
        source.begin()
    except Unavailable as outage:
        outages, reason = _OUTAGES, _reason(outage)
    for name in names:
        failure: str | None = reason
        if at_once(name.lives):
            failure = f"two tenants that are alive at once are both known as {name.name}"
        elif outages < _OUTAGES:
            try:
                name.reading = source.read(name.name, name.lives, name.stretch)
                name.warned = [source.warned(one) if one.life.deleted_at is None else None for one in name.tenants]
                outages, failure = 0, None
            except Unavailable as outage:
                outages, failure = outages + 1, _reason(outage)
                reason = failure
        if failure is not None:
            name.reading = Reading([], name.stretch.start, failure)
            name.warned = [None for _ in name.tenants]
        yield name


def _reason(outage: Unavailable) -> str:
    return str(outage).rstrip(".")


def _record(connection: Connection, batch: Sequence[_Name], outcome: Collected) -> None:
    """Record what was read in one transaction; a name whose records the ledger refuses fails alone."""
    lines = [line for name in batch for line in name.reading.lines]
    try:
        with connection.transaction():
            if lines:
                recorded = record_usage(connection, enumerate(lines, 1), begin(connection))
                faults.point("collect.after_records")
            for name in batch:
                _save(connection, outcome.source, name)
    except ImportRefused as refusal:
        if len(batch) > 1:
            for name in batch:
                _record(connection, [name], outcome)
            return
        (name,) = batch
        name.reading = Reading([], name.stretch.start, refusal.findings[0].reason)
        _record(connection, batch, outcome)
        return
    faults.point("collect.after_commit")
    if lines:
        outcome.records += recorded.usage
        outcome.repeats += recorded.repeats
    for name in batch:
        _count(outcome, name)


def _save(connection: Connection, source: str, name: _Name) -> None:
    read = Stretch(name.stretch.start, name.reading.reached)
    for tenant, warned in zip(name.tenants, name.warned, strict=True):
        collected = tenant.life.collected
        if read.start < read.end:
            collected = joined(collected, read)
        life = tenant.life._replace(collected=collected)
        watermarks.save(connection, source, life, name.reading.failure, warned)


def _count(outcome: Collected, name: _Name) -> None:
    outcome.tenants += len(name.tenants)
    for tenant, warned in zip(name.tenants, name.warned, strict=True):
        if name.reading.failure is not None:
            outcome.failures.append((tenant.tenant, name.reading.failure))
        if warned is not None:
            outcome.warnings.append((tenant.tenant, warned))
