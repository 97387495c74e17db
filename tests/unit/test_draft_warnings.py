"""Warnings: the documented codes, each once, in a fixed order."""

from datetime import date

from pieced_billing.calendar import DEFAULT_ZONE, Month, MonthDays
from pieced_billing.invoicing.draft import draft
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.prices.book import PriceBook
from tests.engine import histories
from tests.ledger_lines import ORG, created, enabled, spent, suspended
from tests.oracle.bill import Books
from tests.unit.rated import drafted

CREATED = created("2026-03-01T00:00:00+01:00")


def test_every_gap_is_warned_of_once_by_code_then_tenant_then_package() -> None:
    lines = [
        created("2026-03-02T10:00:00Z", "b", "beta"),
        created("2026-03-02T10:00:00Z", "a", "acme"),
        enabled("2026-03-02T10:00:00Z", "threema", "a"),
        enabled("2026-03-02T10:00:00Z", "search", "a"),
        spent("1", "2026-03-01T10:00:00Z", "b"),
        spent("1", "2026-03-01T11:00:00Z", "b"),
    ]
    month = BillingMonth(MonthDays(Month(2026, 3), DEFAULT_ZONE), PriceBook())
    warnings = draft(month, ORG, histories(Books(lines), ORG), None).warnings
    assert [(warning.code, warning.tenant) for warning in warnings] == [
        ("package_without_price", "acme"),
        ("package_without_price", "acme"),
        ("no_monthly_price", "acme"),
        ("no_monthly_price", "beta"),
        ("org_without_configuration", None),
        ("usage_outside_life", "beta"),
    ]
    assert [warning.text.split()[1] for warning in warnings[:2]] == ["search", "threema"]
    assert all(warning.text.endswith(".") for warning in warnings)


def test_a_gap_on_one_billed_day_is_warned_of_and_none_on_days_that_do_not_count() -> None:
    priced = [{"tenant_monthly_fee_chf": "31", "from": date(2026, 3, 2)}]
    assert drafted(CREATED, platform=priced)["warnings"] == [{"code": "no_monthly_price", "tenant": "acme"}]
    assert drafted(created("2026-03-02T00:00:00+01:00"), platform=priced)["warnings"] == []
    assert drafted(CREATED, platform=priced, billing_start=date(2026, 3, 2))["warnings"] == []


def test_a_package_that_was_never_billable_needs_no_price() -> None:
    lines = [CREATED, suspended("2026-03-02T00:00:00+01:00"), enabled("2026-03-03T10:00:00Z", "unpriced")]
    assert drafted(*lines)["warnings"] == []


def test_usage_at_the_very_beginning_is_within_life_and_usage_of_0_is_none() -> None:
    born = created("2026-03-05T10:00:00Z")
    assert drafted(born, spent("1", "2026-03-05T10:00:00Z"), spent("0", "2026-03-01T10:00:00Z"))["warnings"] == []


def test_two_subscriptions_of_one_name_give_one_warning() -> None:
    lines = [created("2026-03-01T10:00:00Z", "1"), created("2026-03-09T10:00:00Z", "2")]
    month = BillingMonth(MonthDays(Month(2026, 3), DEFAULT_ZONE), PriceBook())
    warnings = draft(month, ORG, histories(Books(lines), ORG), None).warnings
    assert [warning.code for warning in warnings] == ["no_monthly_price", "org_without_configuration"]
