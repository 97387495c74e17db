"""Which months are finalised: they have an invoice, and prices and terms stay as they were on their days (rule 9)."""

from pieced_billing.calendar import Month
from pieced_billing.store.connections import Connection


def finalised_months(connection: Connection, org: str | None = None) -> frozenset[Month]:
    """The months finalised for an organisation, or for any where none is named."""
    rows = connection.execute("SELECT pieced_finalised_months(%s)", [org])
    return frozenset(Month.of(period_start) for (period_start,) in rows)
