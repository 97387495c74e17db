"""Threema messages: a price for each message."""

from collections.abc import Iterator

from pieced_billing.ledger.events import Meter
from pieced_billing.prices.book import THREEMA_MESSAGE
from pieced_billing.rating.lines import Line, line_of_usage
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth

KIND = "threema_messages"


def threema_messages(tenant: TenantMonth, tariff: Tariff) -> Iterator[Line]:
    """Price of the day × messages, one line per run; messages of a day without a price are free (rules 10, 11, 12)."""
    if messages := tenant.used(Meter.THREEMA_MESSAGES):
        for run in tariff.runs(THREEMA_MESSAGE):
            used = {day: quantity for day, quantity in messages.items() if run.days >> day & 1}
            if used:
                yield line_of_usage(tenant, tariff, KIND, used, "message", run)
