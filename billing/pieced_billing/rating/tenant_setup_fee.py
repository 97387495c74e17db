"""The tenant's setup fee: once per tenant UID, on its first active day ever."""

from collections.abc import Iterator

from pieced_billing.prices.book import TENANT_SETUP_FEE
from pieced_billing.rating.lines import Line, line_once
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth

KIND = "tenant_setup_fee"


def tenant_setup_fee(tenant: TenantMonth, tariff: Tariff) -> Iterator[Line]:
    """The fee of the first active day, if that day has one (rule 10: without a price, it is never charged)."""
    if tenant.setup_day is None:
        return
    run = tariff.run_of(tenant.setup_day, TENANT_SETUP_FEE)
    if run is not None:
        yield line_once(tenant, tariff, KIND, None, tenant.setup_day, run)
