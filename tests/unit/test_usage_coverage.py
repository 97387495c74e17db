"""What to read of a tenant's usage next, what is collected then, and whose usage of an instant it is."""

import pytest

from pieced_billing.usage.coverage import AFTERLIFE, OVERLAP, Life, Stretch, at_once, joined, life_at, to_read

HOUR = 3_600_000_000
DAY = 24 * HOUR


def life(created: int = 0, deleted: int | None = None, collected: tuple[int, int] | None = None) -> Life:
    return Life("u", created, deleted, None if collected is None else Stretch(*collected))


@pytest.mark.parametrize(
    ("one", "asked", "expected"),
    [
        # from where the source counts on, or the tenant's creation
        (life(0), None, (2 * DAY, 9 * DAY)),
        (life(3 * DAY), None, (3 * DAY, 9 * DAY)),
        # and what was never read, whatever is asked for
        (life(0), 5 * DAY, (2 * DAY, 9 * DAY)),
        (life(0, None, (4 * DAY, 5 * DAY)), None, (2 * DAY, 9 * DAY)),
        (life(0, None, (12 * DAY, 15 * DAY)), 3 * DAY, (2 * DAY, 12 * DAY)),
        (life(0, 6 * DAY, (4 * DAY, 8 * DAY)), None, (2 * DAY, 9 * DAY)),
        # on from the last time, with what came late
        (life(0, None, (2 * DAY, 5 * DAY)), None, (5 * DAY - OVERLAP, 9 * DAY)),
        (life(0, None, (2 * DAY, 2 * DAY + 1)), None, (2 * DAY, 9 * DAY)),
        # what is asked for, and all that lies between it and what is collected
        (life(0, None, (2 * DAY, 5 * DAY)), 3 * DAY, (3 * DAY, 9 * DAY)),
        (life(0, None, (2 * DAY, 5 * DAY)), 7 * DAY, (5 * DAY, 9 * DAY)),
        (life(0, None, (1 * DAY, 5 * DAY)), DAY, (1 * DAY, 9 * DAY)),
        # nothing of what is not yet, or is collected to a day after its end
        (life(9 * DAY), None, None),
        (life(0, 4 * DAY), None, (2 * DAY, 9 * DAY)),
        (life(0, 4 * DAY, (2 * DAY, 4 * DAY)), None, (4 * DAY - OVERLAP, 9 * DAY)),
        (life(0, 4 * DAY, (2 * DAY, 4 * DAY + AFTERLIFE)), None, None),
        (life(0, 4 * DAY, (2 * DAY, 4 * DAY + AFTERLIFE)), 3 * DAY, (3 * DAY, 9 * DAY)),
        (life(0, 4 * DAY, (2 * DAY, 4 * DAY + AFTERLIFE)), 6 * DAY, None),
        (life(0, DAY // 2), None, None),
    ],
)
def test_what_to_read(one: Life, asked: int | None, expected: tuple[int, int] | None) -> None:
    assert to_read(one, 2 * DAY, asked, 9 * DAY) == expected


@pytest.mark.parametrize(
    ("collected", "read", "expected"),
    [
        (None, (3, 5), (3, 5)),
        ((3, 5), (4, 9), (3, 9)),
        ((3, 5), (5, 9), (3, 9)),
        ((3, 5), (1, 3), (1, 5)),
        ((3, 9), (4, 5), (3, 9)),
        ((3, 5), (1, 2), (3, 5)),  # it failed before it came to what is collected
    ],
)
def test_what_is_collected_after_a_reading(
    collected: tuple[int, int] | None, read: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert joined(None if collected is None else Stretch(*collected), Stretch(*read)) == expected


def test_usage_belongs_to_the_life_that_began_last() -> None:
    first, second = life(10, 20), life(30)
    owners = {at: life_at([first, second], at) for at in (5, 10, 19, 25, 29, 30, 99)}
    assert {at for at, owner in owners.items() if owner is first} == {5, 10, 19, 25, 29}
    assert {at for at, owner in owners.items() if owner is second} == {30, 99}


def test_lives_that_follow_each_other_are_not_at_once() -> None:
    assert not at_once([life(10, 20), life(20)])
    assert at_once([life(10, 21), life(20)])
    assert at_once([life(10), life(20, 30)])
