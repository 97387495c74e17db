"""What the drafts of a month have in common, read from the database."""

from datetime import datetime

from pieced_billing.calendar import Month, MonthDays, to_microseconds
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.prices.load import load_prices
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings


def load_billing_month(connection: Connection, month: Month, as_of: datetime | None = None) -> BillingMonth:
    """What the drafts of a month have in common, with the prices of now."""
    settings = load_settings(connection)
    stop = None if as_of is None else to_microseconds(as_of)
    return BillingMonth(MonthDays(month, settings.zone), load_prices(connection), settings.billing_start, stop)
