"""Usage of a month as rating reads it: sums by tenant, meter and local day."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pieced_billing.calendar import Microseconds, MonthDays, from_microseconds
from pieced_billing.ledger.chosen import Chosen
from pieced_billing.store.bulk import bulk_rows
from pieced_billing.store.connections import Connection
from pieced_billing.store.instants import from_wire

# Positive and negative records are summed apart: a day whose records cancel each other still had usage (rule 13).
# So is what happened outside of the tenant's life, which a draft warns of. Each tenant is summed for itself: the sums
# of thousands at once would not fit into the memory of a query.
_SUMS: Final = """
SELECT tenant.id, used.first_at, used.meter, used.quantity
FROM tenant_billing_lifecycle AS tenant CROSS JOIN LATERAL (
    SELECT min(occurred_at) AS first_at, meter, sum(quantity) AS quantity FROM usage_records
    WHERE tenant_uid = tenant.tenant_uid AND occurred_at >= %(start)s AND occurred_at < %(end)s AND quantity <> 0
    GROUP BY meter, width_bucket(occurred_at, %(days)s), quantity < 0,
        occurred_at >= tenant.created_at AND (occurred_at < tenant.deleted_at) IS NOT FALSE
    OFFSET 0) AS used
WHERE {chosen}
"""


def usage_by_tenant(
    connection: Connection, days: MonthDays, until: Microseconds, chosen: Chosen
) -> Mapping[int, list[tuple[Microseconds, str, Decimal]]]:
    """The usage of the month up to `until` (exclusive), summed by meter and local day, by the id of the tenant's row.

    A sum stands at the first instant of its records. Days are cut in the zone of `days`.
    """
    bounds = [from_microseconds(bound) for bound in days.bounds]
    parameters = {"chosen": chosen.values, "start": bounds[0], "end": from_microseconds(until), "days": bounds}
    usage: defaultdict[int, list[tuple[Microseconds, str, Decimal]]] = defaultdict(list)
    query = _SUMS.format(chosen=chosen.condition)
    for tenant_id, at, meter, quantity in bulk_rows(connection, query, parameters, few=chosen.few):
        usage[tenant_id].append((from_wire(at), meter, quantity))
    return usage
