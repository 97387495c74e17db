"""The tenant's monthly fee: for every active day its share of the calendar month."""

from collections.abc import Iterator

from pieced_billing.prices.book import TENANT_MONTHLY_FEE
from pieced_billing.rating.lines import Line, line_of_days
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth

KIND = "tenant_monthly_fee"


def tenant_monthly_fee(tenant: TenantMonth, tariff: Tariff) -> Iterator[Line]:
    """Price × active days ÷ days of the month, one line per run (rules 4, 5, 11, 12)."""
    for run in tariff.runs(TENANT_MONTHLY_FEE):
        days = tenant.active & run.days
        if days:
            yield line_of_days(tenant, tariff, KIND, None, days, run, divisor=len(tariff.days.dates))
