"""Rules 1 to 5: days, order, existence, activity. One tenant, told in lines; the draft is the answer."""

from itertools import permutations

import pytest

from tests.ledger_lines import created, deleted, disabled, enabled, resumed, sent, spent, suspended
from tests.unit.rated import active_days, drafted, lines_of, package_days, service

CREATED = created("2026-03-01T00:00:00+01:00")


def test_rule_1_the_last_utc_hours_of_a_month_belong_to_the_next_one() -> None:
    line = created("2026-03-31T22:00:00Z")
    assert drafted(line)["lines"] == []
    assert service(drafted(line, month="2026-04"), "tenant_setup_fee") == [("2026-04-01", "2026-04-01", "1", "99.00")]


def test_rule_1_the_billing_zone_is_a_setting() -> None:
    lines = [created("2026-03-31T22:00:00Z"), deleted("2026-03-31T23:00:00Z")]
    assert active_days(drafted(*lines, zone="UTC")) == 1
    assert active_days(drafted(*lines, zone="Europe/Zurich")) == 0


@pytest.mark.parametrize(("month", "days"), [("2026-02", 28), ("2024-02", 29), ("2026-03", 31), ("2026-10", 31)])
def test_rule_1_a_period_is_a_calendar_month(month: str, days: int) -> None:
    draft = drafted(created("2023-01-01T00:00:00Z"), month=month)
    assert service(draft, "tenant_monthly_fee") == [(f"{month}-01", f"{month}-{days}", str(days), "31.00")]


def test_rule_2_events_are_folded_by_the_time_they_happened() -> None:
    story = [
        CREATED,
        enabled("2026-03-02T10:00:00Z"),
        suspended("2026-03-05T10:00:00Z"),
        resumed("2026-03-08T10:00:00Z"),
        disabled("2026-03-10T10:00:00Z"),
    ]
    for lines in permutations(story):
        draft = drafted(*lines)
        assert (active_days(draft), package_days(draft)) == (29, 7)


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        ([enabled("2026-03-02T10:00:00Z"), disabled("2026-03-02T10:00:00Z")], 0),
        ([disabled("2026-03-02T10:00:00Z"), enabled("2026-03-02T10:00:00Z")], 30),
        ([disabled("2026-03-02T11:00:00+01:00"), enabled("2026-03-02T10:00:00Z")], 30),
    ],
)
def test_rule_2_of_one_instant_the_first_recorded_comes_first(lines: list[dict[str, str]], days: int) -> None:
    assert package_days(drafted(CREATED, *lines)) == days


def test_rule_2_an_event_that_changes_nothing_has_no_effect() -> None:
    idle = [
        resumed("2026-03-01T10:00:00Z"),
        disabled("2026-03-01T11:00:00Z"),
        enabled("2026-03-03T10:00:00Z"),
        enabled("2026-03-04T10:00:00Z"),
        suspended("2026-03-06T10:00:00Z"),
        suspended("2026-03-07T10:00:00Z"),
        resumed("2026-03-08T10:00:00Z"),
        resumed("2026-03-09T10:00:00Z"),
    ]
    draft = drafted(CREATED, *idle)
    assert (active_days(draft), package_days(draft)) == (30, 28)


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        ([created("2026-03-10T23:59:59.999999+01:00")], 22),
        ([created("2026-03-11T00:00:00+01:00")], 21),
        ([CREATED, deleted("2026-03-10T00:00:00+01:00")], 9),
        ([CREATED, deleted("2026-03-10T00:00:00.000001+01:00")], 10),
        ([CREATED], 31),
        ([created("2026-02-01T00:00:00Z"), deleted("2026-03-01T00:00:00+01:00")], 0),
        ([created("2026-03-31T23:59:59.999999+02:00")], 1),
        ([created("2026-04-01T00:00:00+02:00")], 0),
    ],
)
def test_rule_3_a_tenant_exists_from_its_creation_until_its_deletion(lines: list[dict[str, str]], days: int) -> None:
    assert active_days(drafted(*lines)) == days


def test_rule_3_what_is_said_of_an_earlier_instant_holds_from_the_creation_on() -> None:
    draft = drafted(
        enabled("2026-02-20T10:00:00Z"),
        suspended("2026-02-21T10:00:00Z"),
        created("2026-03-10T10:00:00Z"),
        resumed("2026-03-12T10:00:00Z"),
    )
    assert service(draft, "tenant_monthly_fee") == [("2026-03-12", "2026-03-31", "20", "20.00")]
    assert service(draft, "package_days") == [("2026-03-12", "2026-03-31", "20", "2.00")]
    assert service(draft, "tenant_setup_fee") == [("2026-03-12", "2026-03-12", "1", "99.00")]


def test_rule_3_what_was_suspended_and_resumed_before_the_creation_is_active_from_it_on() -> None:
    before = [suspended("2026-03-01T10:00:00Z"), resumed("2026-03-05T10:00:00Z")]
    assert active_days(drafted(*before, created("2026-03-10T10:00:00Z"))) == 22


@pytest.mark.parametrize("at", ["2026-03-10T10:00:00Z", "2026-03-11T10:00:00Z"])
def test_rule_3_what_is_said_at_or_after_the_deletion_has_no_effect(at: str) -> None:
    end = deleted("2026-03-10T10:00:00Z")
    draft = drafted(CREATED, suspended("2026-03-05T10:00:00Z"), end, resumed(at), enabled(at))
    assert (active_days(draft), package_days(draft)) == (5, 0)
    assert lines_of(draft, "package_setup_fee") == []


def test_rule_4_a_package_is_billable_where_it_is_enabled_and_the_tenant_active() -> None:
    draft = drafted(
        CREATED,
        suspended("2026-03-05T00:00:00+01:00"),
        enabled("2026-03-06T10:00:00Z"),
        resumed("2026-03-10T10:00:00Z"),
        disabled("2026-03-12T10:00:00Z"),
        suspended("2026-03-13T10:00:00Z"),
    )
    assert service(draft, "package_days") == [("2026-03-10", "2026-03-12", "3", "0.30")]
    assert service(draft, "package_setup_fee") == [("2026-03-10", "2026-03-10", "1", "5.00")]
    assert service(draft, "tenant_monthly_fee") == [("2026-03-01", "2026-03-13", "8", "8.00")]


def test_rule_4_a_package_is_not_billable_while_the_tenant_is_suspended() -> None:
    pause = [suspended("2026-03-05T10:00:00Z"), resumed("2026-03-10T10:00:00Z")]
    assert package_days(drafted(CREATED, enabled("2026-03-02T10:00:00Z"), *pause)) == 30 - 4


def test_rule_4_a_package_disabled_while_suspended_does_not_come_back() -> None:
    draft = drafted(
        CREATED,
        enabled("2026-03-02T10:00:00Z"),
        suspended("2026-03-04T10:00:00Z"),
        disabled("2026-03-05T10:00:00Z"),
        resumed("2026-03-08T10:00:00Z"),
    )
    assert package_days(draft) == 3


@pytest.mark.parametrize(
    ("suspended_at", "days"),
    [
        ("2026-03-10T00:00:00+01:00", 9),
        ("2026-03-10T00:00:00.000001+01:00", 10),
        ("2026-03-09T23:59:59.999999+01:00", 9),
    ],
)
def test_rule_5_a_suspension_at_midnight_excludes_the_day(suspended_at: str, days: int) -> None:
    assert active_days(drafted(CREATED, suspended(suspended_at))) == days


def test_rule_5_a_thousand_toggles_in_a_day_are_one_day() -> None:
    instants = [f"2026-03-02T10:{number // 60 % 60:02}:{number % 60:02}Z" for number in range(1000)]
    toggles = [(enabled, disabled)[number % 2](at) for number, at in enumerate(instants)]
    assert service(drafted(CREATED, *toggles), "package_days") == [("2026-03-02", "2026-03-02", "1", "0.10")]


def test_rule_5_enabled_and_disabled_at_one_instant_is_no_day_and_no_first_day() -> None:
    draft = drafted(CREATED, enabled("2026-03-02T10:00:00Z"), disabled("2026-03-02T10:00:00Z"))
    assert (package_days(draft), lines_of(draft, "package_setup_fee")) == (0, [])


def test_rule_5_a_life_of_no_length_is_no_day() -> None:
    stop = suspended("2026-03-01T00:00:00+01:00")
    assert drafted(CREATED, stop)["lines"] == []
    assert active_days(drafted(CREATED, stop, resumed("2026-03-31T23:59:59.999999+02:00"))) == 1


@pytest.mark.parametrize(
    ("month", "day", "offsets"), [("2026-03", "29", ("+01:00", "+02:00")), ("2026-10", "25", ("+02:00", "+01:00"))]
)
def test_rule_5_a_day_of_23_or_25_hours_is_one_day(month: str, day: str, offsets: tuple[str, str]) -> None:
    before, after = offsets
    draft = drafted(
        created(f"{month}-{day}T00:00:00{before}"), deleted(f"{month}-{int(day) + 1}T00:00:00{after}"), month=month
    )
    assert active_days(draft) == 1


def test_rule_5_any_day_that_is_partly_active_counts_whole() -> None:
    draft = drafted(
        CREATED,
        suspended("2026-03-03T23:59:00+01:00"),
        resumed("2026-03-04T00:01:00+01:00"),
        spent("0", "2026-03-04T00:00:00Z"),
    )
    assert active_days(draft) == 31
    assert lines_of(draft, "llm_spend") == []
    assert lines_of(drafted(CREATED, sent("0", "2026-03-04T00:00:00Z")), "threema_messages") == []
