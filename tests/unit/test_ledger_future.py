"""Instants of the future are not believed, whichever of the clocks is wrong."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pieced_billing.ledger.future import AHEAD, FromTheFuture, believed
from tests.observations import NINE, first_version

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
SEEN = first_version()
READ = replace(SEEN, asked_at=NINE + 10 * SECOND, seen_at=NINE + 11 * SECOND)
NOW = NINE + 12 * SECOND


def test_clocks_that_agree_change_nothing() -> None:
    assert believed(SEEN, NOW) == SEEN
    assert believed(READ, NOW) == READ
    assert believed(READ, NINE - AHEAD) == replace(READ, asked_at=NINE, seen_at=NINE)


@pytest.mark.parametrize("field", ["created_at", "written_at", "deleted_at"])
def test_a_version_that_is_dated_in_the_future_is_refused(field: str) -> None:
    soon: dict[str, Any] = {field: NOW + AHEAD}
    later: dict[str, Any] = {field: NOW + AHEAD + SECOND}
    believed(replace(SEEN, **soon), NOW)
    with pytest.raises(FromTheFuture, match="acme"):
        believed(replace(SEEN, **later), NOW)


def test_an_answer_dated_in_the_future_confirms_nothing_of_it() -> None:
    ahead = replace(READ, asked_at=NINE + HOUR, seen_at=NINE + HOUR)
    assert believed(ahead, NOW) == replace(READ, asked_at=NINE, seen_at=NOW + AHEAD)


def test_an_answer_dated_in_the_past_came_when_the_version_had_been_written() -> None:
    behind = replace(SEEN, seen_at=SEEN.seen_at - HOUR)
    assert believed(behind, NOW) == replace(SEEN, seen_at=NINE + SECOND)
