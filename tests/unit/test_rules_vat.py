"""Rules 14 and 15: which rate a day of service has, and the tax on a bill."""

from datetime import date
from typing import Any

import pytest

from tests.ledger_lines import ORG, created, deleted, spent
from tests.unit.rated import Entry, drafted, lines_of, service

EARLIER = created("2023-01-15T00:00:00Z")
FEE = [{"tenant_monthly_fee_chf": "31.00"}]


def org(country: str, **other: Any) -> dict[str, Any]:
    return {"org": ORG, "name": "Acme AG", "country": country, **other}


@pytest.mark.parametrize(
    ("country", "posture", "rate", "shown"),
    [
        ("CH", None, "8.1", "standard"),
        ("LI", None, "8.1", "standard"),
        ("DE", None, "0", "export"),
        ("AT", "standard", "8.1", "standard"),
        ("CH", "export", "0", "export"),
        ("CH", "reverse_charge", "0", "reverse_charge"),
        ("LI", "exempt", "0", "exempt"),
        ("CH", "standard", "8.1", "standard"),
    ],
)
def test_rule_14_country_and_posture_decide_the_rate(country: str, posture: str | None, rate: str, shown: str) -> None:
    draft = drafted(EARLIER, platform=FEE, orgs=[org(country, vat_posture=posture)])
    assert [line["vat_rate"] for line in draft["lines"]] == [rate]
    assert draft["vat_posture"] == shown


@pytest.mark.parametrize(("month", "rate"), [("2023-12", "7.7"), ("2024-01", "8.1")])
def test_rule_14_without_a_version_the_statutory_rate_of_the_date_is_in_force(month: str, rate: str) -> None:
    assert [line["vat_rate"] for line in drafted(EARLIER, month=month, platform=FEE)["lines"]] == [rate]


def test_rule_14_before_its_first_version_the_statutory_rate_is_in_force() -> None:
    platform: list[Entry] = [*FEE, {"from": date(2026, 3, 11), "vat_rate_chli": "8.55"}]
    draft = drafted(EARLIER, platform=platform)
    assert [(line["vat_rate"], line["quantity"]) for line in draft["lines"]] == [("8.1", "10"), ("8.55", "21")]


def test_rule_14_the_rate_is_that_of_the_day_of_service() -> None:
    draft = drafted(
        EARLIER,
        spent("51.00", "2024-01-14T22:59:59Z"),
        spent("39.00", "2024-01-14T23:00:00Z"),
        month="2024-01",
        platform=[{"from": date(2024, 1, 15), "vat_rate_chli": "7.7"}],
    )
    assert draft["vat"] == [
        {"rate": "7.7", "net": "39.00", "amount": "3.00"},
        {"rate": "8.1", "net": "51.00", "amount": "4.13"},
    ]


def test_rule_14_a_service_across_the_raise_is_split_by_days() -> None:
    """Fifteen and ten days around the turn of the year: two months, two rates."""
    life = [created("2023-12-17T00:00:00+01:00"), deleted("2024-01-11T00:00:00+01:00")]
    december, january = (drafted(*life, month=month, platform=FEE) for month in ("2023-12", "2024-01"))
    assert december["vat"] == [{"rate": "7.7", "net": "15.00", "amount": "1.16"}]
    assert january["vat"] == [{"rate": "8.1", "net": "10.00", "amount": "0.81"}]


def test_rule_14_country_and_posture_have_versions() -> None:
    orgs = [
        org("CH"),
        org("DE", **{"from": date(2026, 3, 11)}),
        org("DE", vat_posture="standard", **{"from": date(2026, 3, 21)}),
        org("DE", **{"from": date(2026, 3, 31)}),
    ]
    draft = drafted(EARLIER, platform=FEE, orgs=orgs)
    assert [(line["vat_rate"], line["quantity"]) for line in draft["lines"]] == [
        ("8.1", "10"),
        ("0", "10"),
        ("8.1", "10"),
        ("0", "1"),
    ]
    assert draft["vat_posture"] == "export"  # that of the last day


def test_rule_14_an_organisation_without_a_configuration_is_drafted_as_standard() -> None:
    draft = drafted(EARLIER, platform=FEE, orgs=[])
    assert (draft["vat_posture"], draft["vat"][0]["rate"]) == ("standard", "8.1")
    assert draft["warnings"] == [{"code": "org_without_configuration", "tenant": None}]


def test_rule_15_vat_is_computed_once_on_the_sum_of_a_rate() -> None:
    draft = drafted(
        *(created("2026-03-01T00:00:00+01:00", f"uid-{number}", f"tenant-{number}") for number in range(10)),
        *(spent("0.06", "2026-03-02T10:00:00Z", f"uid-{number}") for number in range(10)),
        platform=[],
    )
    assert len(lines_of(draft, "llm_spend")) == 10
    assert draft["vat"] == [{"rate": "8.1", "net": "0.60", "amount": "0.05"}]
    assert (draft["net"], draft["gross"]) == ("0.60", "0.65")


def test_rule_15_the_rates_are_exactly_those_of_the_lines_ascending() -> None:
    platform: list[Entry] = [
        {"from": date(2026, 3, 10), "vat_rate_chli": "10"},
        {"from": date(2026, 3, 20), "vat_rate_chli": "9"},
    ]
    spend = [spent("5.00", f"2026-03-{day}T10:00:00Z") for day in ("10", "20", "30")]
    nothing_at_the_statutory_rate = spent("0.004", "2026-03-05T10:00:00Z")
    orgs = [org("CH"), org("DE", **{"from": date(2026, 3, 25)})]
    draft = drafted(EARLIER, *spend, nothing_at_the_statutory_rate, platform=platform, orgs=orgs)
    assert draft["vat"] == [
        {"rate": "0", "net": "5.00", "amount": "0.00"},
        {"rate": "9", "net": "5.00", "amount": "0.45"},
        {"rate": "10", "net": "5.00", "amount": "0.50"},
    ]
    assert (draft["net"], draft["gross"]) == ("15.00", "15.95")


def test_rule_15_printed_lines_sum_to_net_and_net_plus_vat_to_gross() -> None:
    platform: list[Entry] = [
        {"tenant_monthly_fee_chf": "49.90"},
        {"from": date(2026, 3, 10), "tenant_monthly_fee_chf": "59.90"},
    ]
    draft = drafted(EARLIER, spent("1.005", "2026-03-05T10:00:00Z"), platform=platform)
    assert service(draft, "llm_spend")[0][3] == "1.01"
    assert [line["amount"] for line in draft["lines"]] == ["14.49", "42.51", "1.01"]
    assert (draft["net"], draft["vat"][0]["amount"], draft["gross"]) == ("58.01", "4.70", "62.71")
