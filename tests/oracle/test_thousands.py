"""The properties of drafts over thousands of histories; `tests/property` has the same over a few."""

from random import Random

import pytest

from tests.engine import document
from tests.oracle.bill import bill
from tests.property.arrivals import drafts_of_arrivals
from tests.property.histories import random_case

BATCH = 250


@pytest.mark.parametrize("batch", range(8))
def test_the_engine_gives_the_oracles_bill(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        case = random_case(Random(seed))
        assert document(case.books, case.question) == bill(case.books, case.question), f"seed {seed}"


@pytest.mark.parametrize("batch", range(8))
def test_ten_thousand_arrivals_give_the_draft_of_their_history(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        assert len(drafts_of_arrivals(seed, arrivals=5)) == 1, f"seed {seed}"
