"""Usage of a month as rating reads it: sums by tenant, meter and local day, by binary COPY."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from pieced_billing.calendar import MonthDays, from_microseconds
from pieced_billing.ledger.history import Used
from pieced_billing.store.connections import Connection
from pieced_billing.store.instants import from_wire

# Positive and negative records are summed apart: a day whose records cancel each other still had usage (rule 13).
_SUMS: Final = """
COPY (
    SELECT usage.tenant_uid, min(usage.occurred_at), usage.meter, sum(usage.quantity)
    FROM usage_records AS usage JOIN tenant_billing_lifecycle AS tenant USING (tenant_uid)
    WHERE tenant.zitadel_org_id = ANY(%(orgs)s)
      AND usage.occurred_at >= %(start)s AND usage.occurred_at < %(end)s AND usage.quantity <> 0
    GROUP BY usage.tenant_uid, usage.meter, width_bucket(usage.occurred_at, %(days)s), sign(usage.quantity)
) TO STDOUT (FORMAT binary)
"""


def usage_by_uid(connection: Connection, days: MonthDays, orgs: Sequence[str]) -> dict[str, list[Used]]:
    """The usage of the organisations' tenants in the month, at most two sums per UID, meter and local day.

    A sum stands at the first instant of its records. Days are cut in the zone of `days`.
    """
    bounds = [from_microseconds(bound) for bound in days.bounds]
    parameters = {"orgs": list(orgs), "start": bounds[0], "end": bounds[-1], "days": bounds}
    usage: defaultdict[str, list[Used]] = defaultdict(list)
    with connection.cursor() as cursor, cursor.copy(_SUMS, parameters) as copy:
        copy.set_types(["text", "int8", "text", "numeric"])
        uid: str
        at: int
        meter: str
        quantity: Decimal
        for uid, at, meter, quantity in copy.rows():
            usage[uid].append(Used(from_wire(at), meter, quantity))
    return usage
