"""When a sweep concludes nothing from what it does not find."""

import pytest

from pieced_operator.halts import believable


@pytest.mark.parametrize(
    ("live", "believed"),
    [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4), (10, 5), (20, 5), (599, 5), (600, 6), (5000, 50), (10_000, 100)],
)
def test_one_in_a_hundred_may_vanish_unseen_and_of_a_small_fleet_a_few(live: int, believed: int) -> None:
    assert believable(live) == believed


def test_nobody_can_vanish_from_a_fleet_of_none() -> None:
    assert believable(0) == 1
