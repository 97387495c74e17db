"""What an explanation is made of, read from the database in one snapshot."""

from collections import defaultdict
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Microseconds, Month, MonthDays, from_microseconds, to_microseconds
from pieced_billing.invoicing.draft import draft
from pieced_billing.invoicing.explain import Evidence, Explanation, PriceRecord, PriceRecords, UsedOn, explain
from pieced_billing.invoicing.explain_stretches import stretches
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.read import histories_of
from pieced_billing.ledger.show import Life, lives
from pieced_billing.parties.load import load_terms
from pieced_billing.parties.terms import UNCONFIGURED
from pieced_billing.prices.versions import Version, Versions
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings

_USAGE: Final = """
SELECT meter, (occurred_at AT TIME ZONE %(zone)s)::date AS local_day, source, count(*), sum(quantity)
FROM usage_records
WHERE tenant_uid = %(uid)s AND occurred_at >= %(start)s AND occurred_at < %(end)s AND quantity <> 0
GROUP BY meter, local_day, source ORDER BY meter, local_day, source COLLATE "C"
"""


def explanations(connection: Connection, tenant: str, month: Month | None) -> list[Explanation]:
    """The explanation of each UID that this name or UID means and that has to do with the month.

    Without a month the present one. A month that is not over is explained as far as it has gone (rule 16). Raises
    UnknownTenant. The connection must not be in a transaction.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        settings = load_settings(connection)
        month = month or Month.of(settings.today)
        is_over = to_microseconds(settings.now) >= MonthDays(month, settings.zone).end
        as_of = None if is_over else settings.now
        by_uid = {life.row.uid: life for life in lives(connection, tenant)}
        days = MonthDays(month, settings.zone)
        found = list(histories_of(connection, days, days.end, list(by_uid)))
        return [
            _explanation(connection, by_uid[history.uid], history, month, as_of)
            for _, history in sorted(found, key=lambda pair: list(by_uid).index(pair[1].uid))
        ]


def _explanation(
    connection: Connection, life: Life, history: TenantHistory, month: Month, as_of: datetime | None
) -> Explanation:
    org = life.row.org
    billing_month = load_billing_month(connection, month, as_of)
    days, until = billing_month.days, billing_month.until
    terms = load_terms(connection, [org]).get(org)
    evidence = Evidence(
        days,
        load_settings(connection).billing_start,
        stretches([recorded.event for recorded in life.events], until),
        _usage(connection, life.row.uid, days, until, days.zone),
        _price_records(connection),
        terms or UNCONFIGURED,
    )
    return explain(life, draft(billing_month, org, [history], terms), as_of, evidence)


def _usage(connection: Connection, uid: str, days: MonthDays, until: Microseconds, zone: ZoneInfo) -> list[UsedOn]:
    bounds = {"start": from_microseconds(days.start), "end": from_microseconds(until)}
    return [UsedOn(*row) for row in connection.execute(_USAGE, {"uid": uid, "zone": zone.key, **bounds})]


def _price_records(connection: Connection) -> PriceRecords:
    found: defaultdict[tuple[str, str | None], list[Version[PriceRecord]]] = defaultdict(list)
    rows = connection.execute(
        "SELECT field, package, value, valid_from, recorded_at, recorded_by FROM price_versions ORDER BY id"
    )
    for field, package, value, valid_from, recorded_at, recorded_by in rows:
        record = PriceRecord(value, valid_from, recorded_at, recorded_by)
        found[field, package].append(Version(valid_from, record))
    return {of: Versions(tuple(versions)) for of, versions in found.items()}
