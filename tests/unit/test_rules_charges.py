"""Rules 10 to 13: what is charged, how it is cut, rounded and ordered."""

from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.rating.charges import CHARGES
from tests.ledger_lines import created, deleted, disabled, enabled, resumed, sent, spent, suspended
from tests.unit.rated import ORGS, Entry, active_days, drafted, lines_of, service

CREATED = created("2026-03-01T00:00:00+01:00")
EARLIER = created("2026-01-15T00:00:00Z")


def test_rule_10_usage_is_billed_by_its_local_day_whatever_the_tenant_was() -> None:
    draft = drafted(
        created("2026-03-10T10:00:00Z"),
        deleted("2026-03-12T10:00:00Z"),
        spent("1.00", "2026-02-28T22:59:59.999999Z"),
        spent("2.00", "2026-02-28T23:00:00Z"),
        spent("4.00", "2026-03-31T21:59:59.999999Z"),
        spent("8.00", "2026-03-31T22:00:00Z"),
    )
    assert service(draft, "llm_spend") == [("2026-03-01", "2026-03-31", "6", "6.00")]
    assert draft["warnings"] == [{"code": "usage_outside_life", "tenant": "acme"}]


@pytest.mark.parametrize(
    ("at", "warned"),
    [
        ("2026-03-10T09:59:59.999999Z", True),
        ("2026-03-10T10:00:00Z", False),
        ("2026-03-12T09:59:59.999999Z", False),
        ("2026-03-12T10:00:00Z", True),
    ],
)
def test_a_tenant_exists_from_its_creation_until_before_its_deletion(at: str, warned: bool) -> None:
    draft = drafted(created("2026-03-10T10:00:00Z"), deleted("2026-03-12T10:00:00Z"), spent("1.00", at))
    assert [one["code"] for one in draft["warnings"]] == ["usage_outside_life"] * warned


def test_rule_10_usage_while_suspended_is_billed() -> None:
    draft = drafted(EARLIER, suspended("2026-02-01T00:00:00Z"), sent("3000", "2026-03-05T10:00:00Z"))
    assert service(draft, "threema_messages") == [("2026-03-05", "2026-03-05", "3000", "15.00")]
    assert draft["warnings"] == []


@pytest.mark.parametrize("month", ["2026-03", "2026-04"])
def test_rule_10_a_setup_fee_without_a_price_on_its_day_is_never_charged(month: str) -> None:
    draft = drafted(
        CREATED,
        enabled("2026-03-01T00:00:00+01:00"),
        month=month,
        platform=[{"from": date(2026, 3, 2), "tenant_setup_fee_chf": "99.00"}],
        packages={"search": [{"daily_price_chf": "0.10"}, {"from": date(2026, 3, 2), "setup_fee_chf": "5.00"}]},
    )
    assert {line["kind"] for line in draft["lines"]} == {"package_days"}


def test_setup_fees_are_charged_once_on_the_first_day_ever() -> None:
    lines = [
        created("2026-03-30T10:00:00Z"),
        enabled("2026-03-31T10:00:00Z"),
        disabled("2026-04-02T10:00:00Z"),
        enabled("2026-04-05T10:00:00Z"),
        suspended("2026-04-10T10:00:00Z"),
        resumed("2026-04-12T10:00:00Z"),
    ]
    march, april = drafted(*lines), drafted(*lines, month="2026-04")
    assert service(march, "tenant_setup_fee") == [("2026-03-30", "2026-03-30", "1", "99.00")]
    assert service(march, "package_setup_fee") == [("2026-03-31", "2026-03-31", "1", "5.00")]
    assert {line["kind"] for line in april["lines"]} == {"tenant_monthly_fee", "package_days"}


def test_rule_11_a_price_that_comes_back_makes_three_lines() -> None:
    platform: list[Entry] = [
        {"tenant_monthly_fee_chf": "31.00"},
        {"from": date(2026, 3, 10), "tenant_monthly_fee_chf": "62.00"},
        {"from": date(2026, 3, 20), "tenant_monthly_fee_chf": "31.00"},
    ]
    assert service(drafted(EARLIER, platform=platform), "tenant_monthly_fee") == [
        ("2026-03-01", "2026-03-09", "9", "9.00"),
        ("2026-03-10", "2026-03-19", "10", "20.00"),
        ("2026-03-20", "2026-03-31", "12", "12.00"),
    ]


def test_rule_11_days_that_do_not_count_cut_too() -> None:
    """The stretch at 62.00 cuts although the tenant was suspended during all of it."""
    platform: list[Entry] = [
        {"tenant_monthly_fee_chf": "31.00"},
        {"from": date(2026, 3, 10), "tenant_monthly_fee_chf": "62.00"},
        {"from": date(2026, 3, 12), "tenant_monthly_fee_chf": "31.00"},
    ]
    pause = [suspended("2026-03-09T00:00:00+01:00"), resumed("2026-03-13T00:00:00+01:00")]
    assert service(drafted(EARLIER, *pause, platform=platform), "tenant_monthly_fee") == [
        ("2026-03-01", "2026-03-08", "8", "8.00"),
        ("2026-03-13", "2026-03-31", "19", "19.00"),
    ]


def test_rule_11_a_stretch_without_a_price_cuts() -> None:
    package: list[Entry] = [
        {"daily_price_chf": "0.10"},
        {"from": date(2026, 3, 10), "daily_price_chf": None},
        {"from": date(2026, 3, 12), "daily_price_chf": "0.10"},
    ]
    draft = drafted(EARLIER, enabled("2026-02-01T00:00:00Z"), packages={"search": package})
    assert [line[:3] for line in service(draft, "package_days")] == [
        ("2026-03-01", "2026-03-09", "9"),
        ("2026-03-12", "2026-03-31", "20"),
    ]


def test_rule_11_a_version_of_the_same_value_does_not_cut() -> None:
    platform: list[Entry] = [
        {"tenant_monthly_fee_chf": "31"},
        {"from": date(2026, 3, 10), "tenant_monthly_fee_chf": "31.00"},
    ]
    pause = [suspended("2026-03-05T12:00:00Z"), resumed("2026-03-20T12:00:00Z")]
    draft = drafted(EARLIER, *pause, platform=platform)
    assert service(draft, "tenant_monthly_fee") == [("2026-03-01", "2026-03-31", "17", "17.00")]


def test_rule_11_each_kind_is_cut_by_its_own_price_and_all_by_the_vat_rate() -> None:
    draft = drafted(
        EARLIER,
        enabled("2026-02-01T00:00:00Z"),
        spent("1.00", "2026-03-02T10:00:00Z"),
        spent("2.00", "2026-03-22T10:00:00Z"),
        spent("4.00", "2026-03-23T10:00:00Z"),
        platform=[
            {"tenant_monthly_fee_chf": "31.00"},
            {"from": date(2026, 3, 10), "tenant_monthly_fee_chf": "62.00"},
            {"from": date(2026, 3, 22), "vat_rate_chli": "8.5"},
        ],
    )
    assert [line[:2] for line in service(draft, "tenant_monthly_fee")] == [
        ("2026-03-01", "2026-03-09"),
        ("2026-03-10", "2026-03-21"),
        ("2026-03-22", "2026-03-31"),
    ]
    assert [line[:2] for line in service(draft, "package_days")] == [
        ("2026-03-01", "2026-03-21"),
        ("2026-03-22", "2026-03-31"),
    ]
    assert service(draft, "llm_spend") == [
        ("2026-03-02", "2026-03-02", "1", "1.00"),
        ("2026-03-22", "2026-03-23", "6", "6.00"),
    ]
    assert {line["unit_price"] for line in lines_of(draft, "llm_spend")} == {"1.00"}


@pytest.mark.parametrize(
    ("fee", "month", "created_at", "amount"),
    [
        ("49.90", "2026-03", "2026-03-15T00:00:00Z", "27.36"),
        ("49.90", "2026-02", "2026-02-28T00:00:00Z", "1.78"),
        ("49.90", "2024-02", "2024-02-29T00:00:00Z", "1.72"),
        ("49.90", "2026-04", "2026-04-30T00:00:00Z", "1.66"),
        ("49.90", "2026-03", "2026-03-31T00:00:00Z", "1.61"),
        ("31.00", "2024-02", "2024-02-15T00:00:00Z", "16.03"),
    ],
)
def test_rule_12_the_monthly_fee_is_its_share_of_the_calendar_month(
    fee: str, month: str, created_at: str, amount: str
) -> None:
    draft = drafted(created(created_at), month=month, platform=[{"tenant_monthly_fee_chf": fee}])
    assert [line["amount"] for line in draft["lines"]] == [amount]


def test_rule_12_the_parts_of_a_split_fee_are_rounded_each_for_itself() -> None:
    platform: list[Entry] = [
        {"tenant_monthly_fee_chf": "49.90"},
        {"from": date(2023, 12, 11), "vat_rate_chli": "7.8"},
        {"from": date(2023, 12, 21), "vat_rate_chli": "7.9"},
    ]
    draft = drafted(created("2023-01-01T00:00:00Z"), month="2023-12", platform=platform)
    assert [line["amount"] for line in draft["lines"]] == ["16.10", "16.10", "17.71"]


def test_rule_12_a_line_that_rounds_to_nothing_is_left_out() -> None:
    lines = [CREATED, enabled("2026-03-01T10:00:00Z"), spent("0.00499999999999999999", "2026-03-02T10:00:00Z")]
    free = {"search": [{"daily_price_chf": "0.00001", "setup_fee_chf": "0"}]}
    nothing = [{"tenant_setup_fee_chf": "0", "tenant_monthly_fee_chf": "0.00"}]
    draft = drafted(*lines, platform=nothing, packages=free)
    assert (draft["lines"], draft["vat"], draft["net"], draft["gross"]) == ([], [], "0.00", "0.00")
    assert draft["warnings"] == []


def test_rule_12_the_sum_is_exact_before_it_is_rounded() -> None:
    tiny = [spent("0.000000000000000001", f"2026-03-02T10:00:{second:02}Z") for second in range(5)]
    almost = spent("999999999999.004999999999999995", "2026-03-03T10:00:00Z")
    [line] = lines_of(drafted(CREATED, *tiny, almost), "llm_spend")
    assert (line["quantity"], line["amount"]) == ("999999999999.005", "999999999999.01")


def test_rule_12_a_correction_may_make_a_line_negative() -> None:
    draft = drafted(
        CREATED, spent("1.00", "2026-02-02T10:00:00Z"), spent("-1.005", "2026-03-02T10:00:00Z"), platform=[]
    )
    assert service(draft, "llm_spend") == [("2026-03-02", "2026-03-02", "-1.005", "-1.01")]
    assert (draft["net"], draft["vat"][0]["amount"], draft["gross"]) == ("-1.01", "-0.08", "-1.09")


def test_rule_13_lines_are_ordered_by_code_point() -> None:
    uids = [("acmea", "3"), ("acme-b", "2"), ("Zeta", "4"), ("zürich", "5"), ("acme", "9"), ("acme", "1")]
    lines = [created("2026-03-01T10:00:00Z", uid, tenant) for tenant, uid in uids]
    draft = drafted(*lines, platform=[{"tenant_monthly_fee_chf": "31.00"}])
    assert [(line["tenant"], line["uid"]) for line in draft["lines"]] == [
        ("Zeta", "4"),
        ("acme", "1"),
        ("acme", "9"),
        ("acme-b", "2"),
        ("acmea", "3"),
        ("zürich", "5"),
    ]


def test_rule_13_a_tenants_lines_go_by_kind_package_and_day() -> None:
    packages = ["search-b", "searching", "search"]
    price: list[Entry] = [
        {"daily_price_chf": "1", "setup_fee_chf": "5"},
        {"from": date(2026, 3, 20), "daily_price_chf": "2"},
    ]
    draft = drafted(
        spent("1", "2026-03-05T10:00:00Z"),
        sent("100", "2026-03-04T10:00:00Z"),
        *(enabled("2026-03-01T10:00:00Z", package) for package in packages),
        CREATED,
        packages=dict.fromkeys(packages, price),
    )
    ordered = sorted(packages)
    assert [(line["kind"], line["package"]) for line in draft["lines"]] == [
        ("tenant_setup_fee", None),
        ("tenant_monthly_fee", None),
        *(("package_setup_fee", package) for package in ordered),
        *(("package_days", package) for package in ordered for _ in range(2)),
        ("llm_spend", None),
        ("threema_messages", None),
    ]
    assert len({charge.__name__ for charge in CHARGES}) == 6


def test_rule_13_service_dates_are_the_first_and_last_day_counted() -> None:
    draft = drafted(
        created("2026-03-03T10:00:00Z"),
        suspended("2026-03-05T10:00:00Z"),
        resumed("2026-03-15T10:00:00Z"),
        suspended("2026-03-20T10:00:00Z"),
        spent("0", "2026-03-01T10:00:00Z"),
        spent("5", "2026-03-04T10:00:00Z"),
        spent("-5", "2026-03-04T11:00:00Z"),
        spent("1", "2026-03-06T10:00:00Z"),
        spent("0.00", "2026-03-09T10:00:00Z"),
    )
    assert service(draft, "tenant_monthly_fee") == [("2026-03-03", "2026-03-20", "9", "9.00")]
    assert service(draft, "llm_spend") == [("2026-03-04", "2026-03-06", "1", "1.00")]


def test_a_reused_name_is_a_subscription_of_its_own() -> None:
    """Deleted and created again under the same name: two setup fees, and a shared day counts for both."""
    draft = drafted(
        created("2026-03-01T10:00:00Z", "uid-1"),
        deleted("2026-03-10T10:00:00Z", "uid-1"),
        created("2026-03-10T11:00:00Z", "uid-2"),
    )
    assert [line["uid"] for line in lines_of(draft, "tenant_setup_fee")] == ["uid-1", "uid-2"]
    assert [line[2] for line in service(draft, "tenant_monthly_fee")] == ["10", "22"]


def test_an_organisation_sees_its_own_tenants_only() -> None:
    other = created("2026-03-01T10:00:00Z", "uid-2", "other", org="310002")
    assert active_days(drafted(CREATED, other, orgs=[*ORGS, {"org": "310002", "country": "DE"}])) == 31
    assert Decimal(drafted(CREATED, other)["net"]) == Decimal("130.00")
