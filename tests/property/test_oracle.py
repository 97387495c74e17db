"""The engine gives the oracle's bill, for histories that crowd where bills go wrong."""

from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import document
from tests.oracle.bill import bill
from tests.property.histories import random_case

ORACLE = Path(__file__).parents[1] / "oracle"


@settings(max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.randoms(use_true_random=False))
def test_the_engine_gives_the_oracles_bill(rng: Random) -> None:
    case = random_case(rng)
    assert document(case.books, case.question) == bill(case.books, case.question)


def test_the_oracle_imports_nothing_of_pieced() -> None:
    sources = [(ORACLE / name).read_text() for name in ("bill.py", "days.py", "prices.py")]
    imports = [line for source in sources for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert imports
    assert not any("pieced" in line or "tests.engine" in line for line in imports)
