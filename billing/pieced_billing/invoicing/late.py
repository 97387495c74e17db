"""What came late to a period that has a bill: which tenant UIDs of it have to be read again, and what was billed."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import Bill, BilledLine
from pieced_billing.rating.lines import Line
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings

_STANDS: Final = """
credits IS NULL AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes)
"""
_STOOD: Final = """
credits IS NULL AND bill.id < %(before)s AND NOT EXISTS (
    SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes AND credit.id < %(before)s)
"""
_HAVE_BILLS: Final = "SELECT EXISTS (SELECT FROM invoices WHERE credits IS NULL AND zitadel_org_id = ANY(%s))"

# What the newest bill of a UID has read holds for all periods, as does what was compared without leaving a line. That
# no fact is late for a bill that was made a day or more after it was recorded only keeps the search short: what was
# read is said by the chain.
_LATE: Final = """
WITH standing AS MATERIALIZED (
    SELECT bill.id, bill.number, bill.zitadel_org_id, period.period_start,
           bill.finalised_at - interval '1 day' AS finalised_at,
           (period.period_start + interval '1 month') AT TIME ZONE %(zone)s AS ended_at
    FROM standing_periods AS period JOIN invoices AS bill ON bill.id = period.invoice_id
    WHERE period.zitadel_org_id = ANY(%(orgs)s)
), horizon AS (
    SELECT zitadel_org_id, max(ended_at) AS ended_at FROM standing GROUP BY zitadel_org_id
), facts AS (
    SELECT tenant.zitadel_org_id, tenant.tenant_uid, fact.*
    FROM tenant_billing_lifecycle AS tenant JOIN horizon USING (zitadel_org_id)
        LEFT JOIN LATERAL (
            SELECT read_to FROM billed_days WHERE tenant_uid = tenant.tenant_uid ORDER BY period_start DESC LIMIT 1
        ) AS billed ON true
        LEFT JOIN late_facts_compared AS compared USING (tenant_uid)
        CROSS JOIN LATERAL (
            SELECT occurred_at, recorded_at, link FROM tenant_lifecycle_events WHERE tenant_uid = tenant.tenant_uid
            UNION ALL
            SELECT occurred_at, recorded_at, link FROM tenant_skill_events WHERE tenant_uid = tenant.tenant_uid
            UNION ALL
            SELECT occurred_at, recorded_at, link FROM tenant_suspension_events WHERE tenant_uid = tenant.tenant_uid
            UNION ALL
            SELECT occurred_at, recorded_at, link FROM usage_records
            WHERE tenant_uid = tenant.tenant_uid AND pieced_is_late(occurred_at, recorded_at)
        ) AS fact
    WHERE fact.occurred_at < horizon.ended_at AND fact.link > greatest(billed.read_to, compared.read_to, 0)
)
SELECT DISTINCT standing.id, standing.number, standing.period_start, facts.tenant_uid, standing.zitadel_org_id
FROM facts JOIN standing ON standing.zitadel_org_id = facts.zitadel_org_id
    AND facts.occurred_at < standing.ended_at AND facts.recorded_at > standing.finalised_at
UNION
SELECT standing.id, standing.number, standing.period_start, tenant.tenant_uid, standing.zitadel_org_id
FROM standing JOIN tenant_billing_lifecycle AS tenant USING (zitadel_org_id)
    JOIN billed_days AS billed ON billed.tenant_uid = tenant.tenant_uid AND billed.period_start = standing.period_start
WHERE billed.read_to = 0
ORDER BY 3, 4
"""

_LINE: Final = """
line.tenant_uid, line.invoice_id, line.position, coalesce(line.adjusts, line.kind), line.returned_days,
line.tenant_name, line.tenant_uid, line.kind, line.package, line.service_from, line.service_to, line.quantity,
line.unit, line.unit_price, line.vat_rate, line.amount, coalesce(line.days, 0)
"""
_BILLED: Final = """
SELECT {line} FROM invoices AS bill JOIN invoice_lines AS line ON line.invoice_id = bill.id
WHERE bill.id = ANY(%(bills)s) AND line.tenant_uid = ANY(%(uids)s) AND line.adjusts IS NULL AND {stands}
    AND line.service_from >= %(period)s AND line.service_from < %(period)s::date + interval '1 month'
UNION ALL
SELECT {line} FROM invoice_lines AS line JOIN invoices AS bill ON bill.id = line.invoice_id
WHERE line.tenant_uid = ANY(%(uids)s) AND line.adjusted_period = %(period)s AND line.adjusts IS NOT NULL AND {stands}
ORDER BY 2, 3
"""


class ToReadAgain(NamedTuple):
    """A tenant UID of a period with a bill about which something may have come late."""

    bill: Bill
    org: str
    uid: str


def late(connection: Connection, orgs: Sequence[str]) -> list[ToReadAgain]:
    """What is to be read again of these organisations; more than has changed, never less."""
    if connection.execute(_HAVE_BILLS, [list(orgs)]).fetchone() == (False,):
        return []
    zone = load_settings(connection).zone.key
    rows = connection.execute(_LATE, {"orgs": list(orgs), "zone": zone}).fetchall()
    return [
        ToReadAgain(Bill(invoice_id, number, Month.of(period)), org, uid)
        for invoice_id, number, period, uid, org in rows
    ]


def billed_lines(
    connection: Connection, month: Month, bills: Collection[int], uids: Collection[str], before: int | None = None
) -> Mapping[str, list[BilledLine]]:
    """What these bills of a month say of these UIDs, and what was adjusted of it on bills that stand; by UID.

    `before` is the id of a document: what stood when it was issued.
    """
    query = _BILLED.format(line=_LINE, stands=_STANDS if before is None else _STOOD)
    found: defaultdict[str, list[BilledLine]] = defaultdict(list)
    parameters = {"bills": list(bills), "uids": list(uids), "period": month.first, "before": before}
    for uid, invoice_id, position, charge, returned, *line in connection.execute(query, parameters):
        found[uid].append(BilledLine(invoice_id, position, charge, Line(*line), returned))
    return found
