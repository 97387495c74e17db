"""Spend on language models: metered in Swiss francs, billed at face value."""

from collections.abc import Iterator

from pieced_billing.ledger.events import Meter
from pieced_billing.rating.lines import Line, line_of_usage
from pieced_billing.rating.tariff import Tariff
from pieced_billing.rating.tenant_month import TenantMonth

KIND = "llm_spend"


def llm_spend(tenant: TenantMonth, tariff: Tariff) -> Iterator[Line]:
    """The sum of the spend, cut by VAT rate alone (rules 10, 11, 12)."""
    if spend := tenant.used(Meter.LLM_SPEND):
        for run in tariff.runs_at_face_value():
            used = {day: quantity for day, quantity in spend.items() if run.days >> day & 1}
            if used:
                yield line_of_usage(tenant, tariff, KIND, used, "CHF", run)
