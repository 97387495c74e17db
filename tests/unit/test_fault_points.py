"""The registry of fault points is complete: each point is in the code, and a test kills a process at it."""

import re
from pathlib import Path

import pytest

from pieced_billing.faults import POINTS
from pieced_local import places
from tests.fault_points import CLAIMS, points_of

_PASSED = re.compile(r"faults\.point\((.*)\)")
INTEGRATION = places.PROJECT / "tests" / "integration"


def passed(folder: str) -> list[str]:
    """What the code of a folder gives to `faults.point`, as it is written."""
    files = sorted((places.PROJECT / folder).rglob("*.py"))
    return [argument for file in files for argument in _PASSED.findall(file.read_text(encoding="utf-8"))]


def test_the_points_in_the_code_are_those_that_are_registered() -> None:
    found = {argument for folder in ("billing", "operator", "cli") for argument in passed(folder)}
    assert found == {f'"{point}"' for point in POINTS}
    assert len(POINTS) == len(set(POINTS))


def test_at_each_registered_point_a_process_is_killed() -> None:
    claimed = {point for name in CLAIMS for point in points_of(name)}
    assert claimed == set(POINTS)


@pytest.mark.parametrize("name", CLAIMS)
def test_who_claims_points_kills_at_all_of_them(name: str) -> None:
    file = Path(INTEGRATION / f"{name}.py")
    assert "points_of(__file__)" in file.read_text(encoding="utf-8")
