"""The kinds of charges, in the order in which they stand on a bill."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from pieced_billing.rating.lines import Line
from pieced_billing.rating.llm_spend import llm_spend
from pieced_billing.rating.package_days import package_days
from pieced_billing.rating.package_setup_fee import package_setup_fee
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth
from pieced_billing.rating.tenant_monthly_fee import tenant_monthly_fee
from pieced_billing.rating.tenant_setup_fee import tenant_setup_fee
from pieced_billing.rating.threema_messages import threema_messages

Charge: TypeAlias = Callable[[TenantMonth, Tariff], Iterable[Line]]
"""A kind of charge: its lines for one tenant UID, by package, then by first day of service."""

CHARGES: Final[tuple[Charge, ...]] = (
    tenant_setup_fee,
    tenant_monthly_fee,
    package_setup_fee,
    package_days,
    llm_spend,
    threema_messages,
)
"""Every kind of charge, in the order of rule 13."""


def rate(tenant: TenantMonth, tariff: Tariff) -> list[Line]:
    """The lines of one tenant UID in order; a line whose amount is 0.00 is left out (rules 12 and 13)."""
    return [line for charge in CHARGES for line in charge(tenant, tariff) if line.amount]
