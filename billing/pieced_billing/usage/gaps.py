"""What is missing of the usage of a month: what a source did not tell yet, and whom it does not know."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from pieced_billing.calendar import Microseconds, MonthDays, from_microseconds
from pieced_billing.ledger.chosen import Chosen
from pieced_billing.ledger.history import USAGE_UNAVAILABLE, UsageGap
from pieced_billing.store.connections import Connection

# Of a month that is over everything has to be there; of the present one, what the last reading was to find.
_GAPS: Final = """
SELECT id, source, failure, warning_code, warning_text,
       CASE WHEN %(end)s > clock_timestamp() THEN failure IS NOT NULL
            ELSE (collected_from <= wanted_from AND collected_until >= wanted_until) IS NOT TRUE END AS missing
FROM (SELECT tenant.id, tenant.tenant_uid, source, greatest(since, tenant.created_at, %(start)s) AS wanted_from,
             least(until, tenant.deleted_at, %(end)s) AS wanted_until
      FROM tenant_billing_lifecycle AS tenant CROSS JOIN usage_sources WHERE {chosen}) AS wanted
    LEFT JOIN usage_coverage USING (source, tenant_uid)
WHERE wanted_from < wanted_until
ORDER BY source
"""


def usage_gaps(
    connection: Connection, days: MonthDays, until: Microseconds, chosen: Chosen
) -> Mapping[int, list[UsageGap]]:
    """What is missing of each tenant's usage of the month up to `until`, by the id of the tenant's row."""
    parameters = {
        "chosen": chosen.values,
        "start": from_microseconds(days.start),
        "end": from_microseconds(until),
    }
    gaps: defaultdict[int, list[UsageGap]] = defaultdict(list)
    query = _GAPS.format(chosen=chosen.condition)
    for tenant_id, source, failure, code, text, missing in connection.execute(query, parameters):
        if missing:
            reason = failure or "it was not collected to the end"
            gaps[tenant_id].append(UsageGap(USAGE_UNAVAILABLE, f"Usage of {source} is missing: {reason}."))
        if code is not None:
            gaps[tenant_id].append(UsageGap(code, text))
    return gaps
