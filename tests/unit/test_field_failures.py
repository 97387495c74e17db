"""What other billing systems got wrong in the field, kept here as cases."""

from decimal import Decimal

import pytest

from tests.ledger_lines import created, deleted, disabled, enabled, resumed, spent, suspended
from tests.unit.rated import active_days, drafted, lines_of, package_days, service

CREATED = created("2026-03-01T00:00:00+01:00")


def test_added_and_removed_again_and_again_in_a_day_is_one_day() -> None:
    toggles = [
        enabled("2026-03-05T08:00:00Z"),
        disabled("2026-03-05T09:00:00Z"),
        enabled("2026-03-05T10:00:00Z"),
        disabled("2026-03-05T11:00:00Z"),
    ]
    draft = drafted(CREATED, *toggles)
    assert service(draft, "package_days") == [("2026-03-05", "2026-03-05", "1", "0.10")]
    assert len(lines_of(draft, "package_setup_fee")) == 1


def test_a_second_suspension_in_a_period_is_billed_like_the_first() -> None:
    cycles = [
        suspended("2026-03-05T10:00:00Z"),
        resumed("2026-03-10T10:00:00Z"),
        suspended("2026-03-15T10:00:00Z"),
        resumed("2026-03-20T10:00:00Z"),
    ]
    assert active_days(drafted(CREATED, *cycles)) == 31 - 4 - 4


def test_a_resume_five_minutes_before_midnight_bills_that_day_and_none_of_the_suspended_ones() -> None:
    draft = drafted(CREATED, suspended("2026-03-05T00:00:00+01:00"), resumed("2026-03-10T23:55:00+01:00"))
    assert active_days(draft) == 4 + 22


@pytest.mark.parametrize(("month", "at"), [("2026-03", "2026-03-29T01:00:00Z"), ("2026-10", "2026-10-25T01:00:00Z")])
def test_the_change_of_the_clocks_bills_no_day_twice_and_none_never(month: str, at: str) -> None:
    draft = drafted(created("2026-01-01T00:00:00Z"), suspended(at), resumed(at), month=month)
    assert service(draft, "tenant_monthly_fee") == [(f"{month}-01", f"{month}-31", "31", "31.00")]


def test_two_months_that_meet_bill_each_hour_once() -> None:
    """The last local hour of March is in no other month, although it is already April in no zone west of ours."""
    life = [created("2026-03-31T21:00:00Z"), deleted("2026-03-31T22:30:00Z"), spent("1", "2026-03-31T21:59:59.999999Z")]
    march, april = drafted(*life), drafted(*life, month="2026-04")
    assert (active_days(march), active_days(april)) == (1, 1)
    assert (len(lines_of(march, "llm_spend")), len(lines_of(april, "llm_spend"))) == (1, 0)


def test_what_was_active_before_it_was_suspended_for_good_is_still_billed() -> None:
    lines = [created("2026-02-10T10:00:00Z"), suspended("2026-03-03T10:00:00Z"), spent("2", "2026-03-02T10:00:00Z")]
    draft = drafted(*lines)
    assert (active_days(draft), len(lines_of(draft, "llm_spend"))) == (3, 1)


def test_an_oscillation_of_the_packages_loses_no_change() -> None:
    lines = []
    for number, day in enumerate(("02", "04", "06", "08")):
        on, off = ("search", "threema") if number % 2 == 0 else ("threema", "search")
        lines += [disabled(f"2026-03-{day}T10:00:00Z", off), enabled(f"2026-03-{day}T10:00:00Z", on)]
    price = [{"daily_price_chf": "1", "setup_fee_chf": "5"}]
    draft = drafted(CREATED, *lines, packages={"search": price, "threema": price})
    assert [(line["package"], line["quantity"]) for line in lines_of(draft, "package_days")] == [
        ("search", "6"),
        ("threema", "27"),
    ]
    assert len(lines_of(draft, "package_setup_fee")) == 2


def test_a_reused_name_bills_each_subscription_for_itself() -> None:
    lines = [
        created("2026-02-01T10:00:00Z", "old"),
        enabled("2026-02-01T10:00:00Z", uid="old"),
        deleted("2026-03-05T10:00:00Z", "old"),
        created("2026-03-05T10:00:01Z", "new"),
    ]
    draft = drafted(*lines)
    assert package_days(draft) == 5
    assert [line["uid"] for line in lines_of(draft, "tenant_setup_fee")] == ["new"]


def test_the_total_is_the_sum_of_the_rounded_lines() -> None:
    spend = [spent("0.333333", "2026-03-02T10:00:00Z", uid) for uid in ("a", "b", "c")]
    tenants = [created("2026-03-01T10:00:00Z", uid, uid) for uid in ("a", "b", "c")]
    draft = drafted(*tenants, *spend, platform=[])
    assert draft["net"] == str(sum(Decimal(line["amount"]) for line in draft["lines"])) == "0.99"
