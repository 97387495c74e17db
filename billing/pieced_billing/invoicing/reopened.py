"""Months of before that have something to bill now, though a run found nothing, or did not know the organisation.

What comes late to a month that has a bill is an adjustment. A month without one would have to be run again, and nobody
would: so it is parked, which somebody is told of.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from pieced_billing.calendar import Month
from pieced_billing.invoicing.carried import has_own_lines
from pieced_billing.invoicing.draft_batch import draft_batch
from pieced_billing.invoicing.outcomes import Decided, Stage, record_outcomes
from pieced_billing.invoicing.wish import Wish
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings

CODE: Final = "known_late"
_RAN_BEFORE: Final = "SELECT EXISTS (SELECT FROM pieced_finalised_months(NULL) AS run (month) WHERE month < %(month)s)"

# What is recorded while a run is on may be in no outcome of it: hence a day before. LIMIT keeps the search one for each
# organisation and month, however long the tables grow.
_CHANGED: Final = """
WITH unknown AS MATERIALIZED (
    SELECT org FROM unnest(%(orgs)s::text[]) AS org
    WHERE NOT EXISTS (SELECT FROM invoices WHERE zitadel_org_id = org AND period_start <> %(month)s)
        AND NOT EXISTS (SELECT FROM invoice_run_outcomes WHERE zitadel_org_id = org AND period_start <> %(month)s)
), empty AS MATERIALIZED (
    SELECT period_start AS month, zitadel_org_id AS org, since - interval '1 day' AS since,
           (period_start + interval '1 month') AT TIME ZONE %(zone)s AS ended_at
    FROM invoice_status
    WHERE status IN ('empty', 'held') AND zitadel_org_id = ANY(%(orgs)s) AND period_start < %(month)s
)
SELECT month, org FROM unknown CROSS JOIN pieced_finalised_months(NULL) AS run (month)
WHERE month < %(month)s AND EXISTS (
    SELECT FROM tenant_billing_lifecycle
    WHERE zitadel_org_id = org AND created_at < (month + interval '1 month') AT TIME ZONE %(zone)s)
UNION
SELECT month, org FROM empty CROSS JOIN LATERAL (
    SELECT FROM tenant_billing_lifecycle AS tenant CROSS JOIN LATERAL (
        SELECT occurred_at, recorded_at FROM tenant_lifecycle_events WHERE tenant_uid = tenant.tenant_uid
        UNION ALL
        SELECT occurred_at, recorded_at FROM tenant_skill_events WHERE tenant_uid = tenant.tenant_uid
        UNION ALL
        SELECT occurred_at, recorded_at FROM tenant_suspension_events WHERE tenant_uid = tenant.tenant_uid
        UNION ALL
        SELECT occurred_at, recorded_at FROM usage_records
        WHERE tenant_uid = tenant.tenant_uid AND pieced_is_late(occurred_at, recorded_at)) AS fact
    WHERE tenant.zitadel_org_id = org AND fact.occurred_at < ended_at AND fact.recorded_at > since
    LIMIT 1) AS late
ORDER BY 1, 2
"""


def record_reopened(connection: Connection, month: Month, orgs: Sequence[str], wish: Wish) -> list[tuple[Month, str]]:
    """Park such months before a month, of organisations of which it was just finalised; in the caller's transaction.

    Returns them with their organisations. What they come to otherwise is recorded as by a run: below the minimum amount
    they are carried on.
    """
    if connection.execute(_RAN_BEFORE, {"month": month.first}).fetchone() == (False,):
        return []
    zone = load_settings(connection).zone.key
    by_month: defaultdict[Month, list[str]] = defaultdict(list)
    for first, org in connection.execute(_CHANGED, {"orgs": list(orgs), "month": month.first, "zone": zone}).fetchall():
        by_month[Month.of(first)].append(org)
    found: list[tuple[Month, str]] = []
    for of_month, chosen in by_month.items():
        drafted = draft_batch(connection, of_month, chosen, Wish(issued_on=wish.issued_on, confirmed=True))
        owing = [invoice.org for invoice in drafted.invoices if has_own_lines(invoice)]
        reason = f"Something of {of_month} became known after it was run; run it again."
        parked = [Decided(org, Stage.PARKED, CODE, reason) for org in owing]
        record_outcomes(connection, of_month, [*parked, *drafted.outcome.not_invoiced()])
        found += [(of_month, org) for org in owing]
    return found
