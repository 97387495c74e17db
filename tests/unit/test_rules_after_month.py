"""Rules 16 and 18: drafts of a month that runs, and from when on is billed."""

from datetime import date

import pytest

from tests.ledger_lines import created, deleted, enabled, spent, suspended
from tests.unit.rated import active_days, drafted, lines_of, package_days, service

CREATED = created("2026-03-01T00:00:00+01:00")


def test_rule_16_a_month_that_is_not_over_is_drafted_to_its_end() -> None:
    draft = drafted(CREATED, enabled("2026-03-05T10:00:00Z"))
    assert (active_days(draft), package_days(draft)) == (31, 27)


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        ("2026-03-09T22:59:59.999999Z", 9),
        ("2026-03-09T23:00:00Z", 10),
        ("2026-03-10T12:00:00+01:00", 10),
        ("2026-02-20T00:00:00Z", 0),
        ("2026-05-01T00:00:00Z", 31),
    ],
)
def test_rule_16_as_of_counts_the_days_begun_by_then(as_of: str, days: int) -> None:
    assert active_days(drafted(CREATED, as_of=as_of)) == days


def test_rule_16_as_of_counts_what_happened_by_then_and_at_that_instant() -> None:
    draft = drafted(
        CREATED,
        spent("1", "2026-03-10T10:00:00Z"),
        spent("2", "2026-03-10T10:00:00.000001Z"),
        enabled("2026-03-10T10:00:00Z"),
        enabled("2026-03-10T10:00:00.000001Z", "later"),
        deleted("2026-03-11T10:00:00Z"),
        as_of="2026-03-10T10:00:00Z",
    )
    assert service(draft, "llm_spend") == [("2026-03-10", "2026-03-10", "1", "1.00")]
    assert (active_days(draft), package_days(draft)) == (10, 1)
    assert draft["warnings"] == []  # nothing is known yet of the package of a microsecond later


def test_rule_16_a_suspension_after_as_of_is_not_known_yet() -> None:
    lines = [CREATED, suspended("2026-03-05T10:00:00Z")]
    assert active_days(drafted(*lines, as_of="2026-03-05T09:59:59Z")) == 5
    assert active_days(drafted(*lines, as_of="2026-03-20T00:00:00Z")) == 5


def test_rule_18_nothing_before_the_billing_start_is_billed() -> None:
    draft = drafted(
        created("2026-02-01T10:00:00Z"),
        enabled("2026-03-05T10:00:00Z"),
        spent("1", "2026-03-09T22:59:59.999999Z"),
        spent("2", "2026-03-09T23:00:00Z"),
        billing_start=date(2026, 3, 10),
    )
    assert service(draft, "tenant_monthly_fee") == [("2026-03-10", "2026-03-31", "22", "22.00")]
    assert service(draft, "package_days") == [("2026-03-10", "2026-03-31", "22", "2.20")]
    assert service(draft, "llm_spend") == [("2026-03-10", "2026-03-10", "2", "2.00")]
    assert lines_of(draft, "tenant_setup_fee") == lines_of(draft, "package_setup_fee") == []


@pytest.mark.parametrize(
    ("billing_start", "fees"), [(date(2026, 3, 5), 2), (date(2026, 3, 6), 0), (date(2026, 4, 1), 0)]
)
def test_rule_18_a_setup_fee_of_a_day_before_the_billing_start_is_not_charged(billing_start: date, fees: int) -> None:
    lines = [created("2026-03-05T10:00:00Z"), enabled("2026-03-05T10:00:00Z")]
    draft = drafted(*lines, billing_start=billing_start)
    assert len(lines_of(draft, "tenant_setup_fee") + lines_of(draft, "package_setup_fee")) == fees
    april = drafted(*lines, month="2026-04", billing_start=billing_start)
    assert {line["kind"] for line in april["lines"]} == {"tenant_monthly_fee", "package_days"}


def test_rule_18_a_month_before_the_billing_start_is_empty_and_warns_of_nothing_it_does_not_bill() -> None:
    draft = drafted(CREATED, enabled("2026-03-05T10:00:00Z", "unpriced"), platform=[], billing_start=date(2026, 4, 1))
    assert (draft["lines"], draft["warnings"]) == ([], [])


def test_rule_18_the_final_bill_of_a_departed_customer_is_that_of_its_last_month() -> None:
    lines = [created("2026-02-01T10:00:00Z"), deleted("2026-03-04T10:00:00Z")]
    assert active_days(drafted(*lines)) == 4
    assert drafted(*lines, month="2026-04")["lines"] == []
