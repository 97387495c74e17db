"""The same events, in any order and with repeats, give the same bytes."""

import pytest

from tests.property.arrivals import drafts_of_arrivals

BATCH = 100


@pytest.mark.parametrize("batch", range(4))
def test_any_order_with_repeats_gives_a_byte_identical_draft(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        assert len(drafts_of_arrivals(seed, arrivals=4)) == 1, f"seed {seed}"
