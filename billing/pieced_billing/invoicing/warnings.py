"""Warnings on a draft: gaps that a person should close, named by code (interchange formats, `warnings`)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pieced_billing.prices.book import PACKAGE_DAILY_PRICE, TENANT_MONTHLY_FEE
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth


class DraftWarning(NamedTuple):
    """A stable code, the tenant's name where it is about one, and a sentence."""

    code: str
    tenant: str | None
    text: str


def draft_warnings(
    org: str, tenants: Sequence[TenantMonth], tariff: Tariff, configured: bool
) -> tuple[DraftWarning, ...]:
    """The warnings of a draft, by code, tenant and package, each once."""
    found = [*_packages_without_price(tenants, tariff), *_no_monthly_price(tenants, tariff)]
    if not configured:
        text = f"Organisation {org} has no configuration with a country; it cannot be invoiced."
        found.append(DraftWarning("org_without_configuration", None, text))
    found.extend(_usage_outside_life(tenants))
    found.extend(DraftWarning(gap.code, tenant.tenant, gap.text) for tenant in tenants for gap in tenant.gaps)
    return tuple(dict.fromkeys(found))


def _packages_without_price(tenants: Sequence[TenantMonth], tariff: Tariff) -> Iterator[DraftWarning]:
    for tenant in tenants:
        for package, billable in tenant.billable.items():
            if billable & ~tariff.priced_days(PACKAGE_DAILY_PRICE, package):
                text = f"Package {package} of {tenant.tenant} has days without a daily price; they are free."
                yield DraftWarning("package_without_price", tenant.tenant, text)


def _no_monthly_price(tenants: Sequence[TenantMonth], tariff: Tariff) -> Iterator[DraftWarning]:
    priced = tariff.priced_days(TENANT_MONTHLY_FEE)
    for tenant in tenants:
        if tenant.active & ~priced:
            text = f"{tenant.tenant} was active on days without a monthly fee; they are free."
            yield DraftWarning("no_monthly_price", tenant.tenant, text)


def _usage_outside_life(tenants: Sequence[TenantMonth]) -> Iterator[DraftWarning]:
    for tenant in tenants:
        if tenant.used_outside_life:
            text = f"{tenant.tenant} has usage from before its creation or after its deletion; it is billed."
            yield DraftWarning("usage_outside_life", tenant.tenant, text)
