"""Resource versions only grow, but for a restore."""

import pytest

from pieced_operator.went_back import ClusterWentBack, require_forward


@pytest.mark.parametrize("found", [100, 101, 9_000_000_000])
def test_what_is_read_later_is_as_new_or_newer(found: int) -> None:
    require_forward(100, found)


def test_what_is_older_than_what_was_known_before_shows_a_restore() -> None:
    with pytest.raises(ClusterWentBack, match="is at resource version 99 and was at 100 before"):
        require_forward(100, 99)
