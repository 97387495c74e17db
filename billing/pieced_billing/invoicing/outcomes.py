"""What runs did with organisations that they did not invoice, and how each organisation stands with a month."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.ledger.export import instant_text
from pieced_billing.store.connections import Connection

_RECORD: Final = """
INSERT INTO invoice_run_outcomes (period_start, zitadel_org_id, status, code, reason)
SELECT %(period)s, decided.* FROM unnest(%(orgs)s::text[], %(statuses)s::text[], %(codes)s::text[], %(reasons)s::text[])
    AS decided (org, status, code, reason)
WHERE decided.status = 'held' OR (decided.status, decided.code, decided.reason) IS DISTINCT FROM (
    SELECT (status, code, reason) FROM invoice_run_outcomes
    WHERE zitadel_org_id = decided.org AND period_start = %(period)s ORDER BY id DESC LIMIT 1)
"""
_STANDINGS: Final = """
SELECT org, coalesce(status, 'draft'), number, code, reason, since FROM (
    SELECT DISTINCT zitadel_org_id AS org FROM tenant_billing_lifecycle
    UNION SELECT zitadel_org_id FROM invoice_status WHERE period_start = %(period)s) AS organisations
    LEFT JOIN invoice_status ON zitadel_org_id = org AND period_start = %(period)s
ORDER BY org COLLATE "C"
"""


class Stage(StrEnum):
    """How an organisation stands with a month: not run yet, or what the latest run made of it."""

    DRAFT = "draft"
    PARKED = "parked"
    EMPTY = "empty"
    CARRIED = "carried"
    HELD = "held"
    FINALISED = "finalised"


class Decided(NamedTuple):
    """What a run did with an organisation that it did not invoice; `code` and `reason` say why it is parked."""

    org: str
    stage: Stage
    code: str | None = None
    reason: str | None = None


class Standing(NamedTuple):
    """How an organisation stands with a month since an instant, and the number of its bill."""

    org: str
    stage: Stage
    number: str | None
    code: str | None
    reason: str | None
    since: datetime | None

    def document(self) -> dict[str, Any]:
        """The same in JSON values."""
        return {**self._asdict(), "since": None if self.since is None else instant_text(self.since)}


def record_outcomes(connection: Connection, month: Month, outcomes: Sequence[Decided]) -> None:
    """Log what was decided where it is not what was decided last; what is held, each time: a bill since ends that."""
    orgs, statuses, codes, reasons = zip(*outcomes, strict=True) if outcomes else ((), (), (), ())
    columns = {"orgs": list(orgs), "statuses": list(statuses), "codes": list(codes), "reasons": list(reasons)}
    connection.execute(_RECORD, {"period": month.first, **columns})


def standings(connection: Connection, month: Month) -> list[Standing]:
    """How every organisation with a tenant stands with a month, ascending by code point."""
    rows = connection.execute(_STANDINGS, {"period": month.first})
    return [Standing(org, Stage(status), *rest) for org, status, *rest in rows]


def count_parked(connection: Connection) -> int:
    """How many bills wait for somebody, of all months."""
    row = connection.execute("SELECT count(*) FROM invoice_status WHERE status = 'parked'").fetchone()
    assert row is not None
    return int(row[0])
