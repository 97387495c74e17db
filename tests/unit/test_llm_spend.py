"""From what LiteLLM says that a request cost to a record in francs."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pieced_billing.calendar import DEFAULT_ZONE, to_microseconds
from pieced_billing.usage.coverage import Life
from pieced_billing.usage.llm_spend import Conversion, SpendLog, spend_records, usage_id

LIVES = [Life("u", 0, None, None)]
END = to_microseconds(datetime(2026, 4, 1, tzinfo=UTC))


def log(spend: str, at: str = "2026-03-02T10:00:00+00:00") -> SpendLog:
    return SpendLog("r", to_microseconds(datetime.fromisoformat(at)), Decimal(spend))


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        (0.1 + 0.2, "0.300000000000"),  # 0.30000000000000004
        (1.2e-05, "0.000012000000"),
        (0.0000000000005, "0.000000000001"),  # half away from zero
        (3, "3.000000000000"),
    ],
)
def test_a_float_is_rounded_once_to_twelve_decimals(said: float, recorded: str) -> None:
    (line,) = spend_records([log(repr(said))], LIVES, END, None).lines
    assert f"{line.quantity:f}" == recorded


@pytest.mark.parametrize("spend", ["0", "0.0", "0.0000000000004"])
def test_what_cost_nothing_is_no_record(spend: str) -> None:
    assert spend_records([log(spend)], LIVES, END, None) == ([], END, None)


def test_dollars_are_converted_by_the_rate_of_the_local_day() -> None:
    logs = [log("1.5", "2026-03-02T22:59:59+00:00"), log("1.5", "2026-03-02T23:00:00+00:00")]
    rates = {date(2026, 3, 2): Decimal("0.88"), date(2026, 3, 3): Decimal("0.9")}
    reading = spend_records(logs, LIVES, END, Conversion(DEFAULT_ZONE, rates))
    assert [line.quantity for line in reading.lines] == [Decimal("1.32"), Decimal("1.35")]


def test_a_day_without_a_rate_ends_the_reading_before_it() -> None:
    logs = [log("1"), log("1", "2026-03-03T09:00:00+00:00"), log("1", "2026-03-04T09:00:00+00:00")]
    rates = {date(2026, 3, 2): Decimal(1), date(2026, 3, 4): Decimal(1)}
    reading = spend_records(logs, LIVES, END, Conversion(DEFAULT_ZONE, rates))
    assert (len(reading.lines), reading.reached) == (1, logs[1].at)
    assert reading.failure == "there is no rate of USD for 2026-03-03"


def test_an_id_that_no_index_takes_is_its_hash() -> None:
    assert usage_id("chatcmpl-1") == "chatcmpl-1"
    assert usage_id("r" * 300) == usage_id("r" * 300) != usage_id("r" * 301)
    assert usage_id("r" * 300).startswith("sha256:")
