"""A package's setup fee: once per tenant UID and package, on the first billable day ever."""

from collections.abc import Iterator

from pieced_billing.prices.book import PACKAGE_DAILY_PRICE, PACKAGE_SETUP_FEE
from pieced_billing.rating.lines import Line, line_once
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth

KIND = "package_setup_fee"


def package_setup_fee(tenant: TenantMonth, tariff: Tariff) -> Iterator[Line]:
    """The fee of each package's first billable day, unless the package is free on that day (rules 8 and 10)."""
    for package, day in sorted(tenant.package_setup_days.items()):
        if tariff.run_of(day, PACKAGE_DAILY_PRICE, package) is None:
            continue
        run = tariff.run_of(day, PACKAGE_SETUP_FEE, package)
        if run is not None:
            yield line_once(tenant, tariff, KIND, package, day, run)
