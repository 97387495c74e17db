"""Package days: a daily price for every day on which a package was billable."""

from collections.abc import Iterator

from pieced_billing.prices.book import PACKAGE_DAILY_PRICE
from pieced_billing.rating.lines import Line, line_of_days
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth

KIND = "package_days"


def package_days(tenant: TenantMonth, tariff: Tariff) -> Iterator[Line]:
    """Daily price × billable days, one line per package and run (rules 4, 5, 8, 11, 12)."""
    for package, billable in tenant.billable.items():
        for run in tariff.runs(PACKAGE_DAILY_PRICE, package):
            days = billable & run.days
            if days:
                yield line_of_days(tenant, tariff, KIND, package, days, run)
