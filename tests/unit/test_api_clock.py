"""The API server's time from its Date headers and a monotonic clock."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pieced_operator.clock import ApiClock

SERVER_AT_ZERO = datetime(2026, 3, 1, 9, 0, 0, 400_000, tzinfo=UTC)
"""What the API server's clock shows when our monotonic clock shows zero."""


def answer(clock: ApiClock, sent: float, took: float = 0.004, step_seconds: float = 0) -> None:
    written = SERVER_AT_ZERO + timedelta(seconds=sent + took / 2 + step_seconds)
    clock.learn(sent, sent + took, format_datetime(written.replace(microsecond=0), usegmt=True))


@pytest.mark.parametrize("answers", [1, 2, 40])
def test_it_is_never_behind_and_more_answers_bring_it_closer(answers: int) -> None:
    clock = ApiClock()
    for number in range(answers):
        answer(clock, 1 + number * 1.07)
    now = 1 + answers * 1.07
    ahead = clock.latest(now) - (SERVER_AT_ZERO + timedelta(seconds=now))
    assert timedelta(0) <= ahead <= timedelta(seconds=1.1 if answers < 40 else 0.1)


@pytest.mark.parametrize("step_seconds", [3600, -3600])
def test_it_follows_when_the_server_s_clock_is_set(step_seconds: float) -> None:
    clock = ApiClock()
    answer(clock, 1)
    answer(clock, 2, step_seconds=step_seconds)
    ahead = clock.latest(3) - (SERVER_AT_ZERO + timedelta(seconds=3 + step_seconds))
    assert timedelta(0) <= ahead <= timedelta(seconds=1.1)


def test_a_slow_answer_takes_nothing_back() -> None:
    clock = ApiClock()
    for number in range(40):
        answer(clock, 1 + number * 1.07)
    before = clock.latest(100)
    answer(clock, 44, took=20)
    assert abs(clock.latest(100) - before) < timedelta(milliseconds=10)
