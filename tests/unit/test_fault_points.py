"""The registry of fault points is complete: each write passes some, each is in the code, and a test kills there."""

import ast
import re
from collections.abc import Iterator

import pytest

from pieced_billing.faults import POINTS
from pieced_local import places
from tests.fault_points import CLAIMS, points_of

_PASSED = re.compile(r"faults\.point\((.*)\)")
WRITES = {"create", "replace", "apply", "merge", "edit", "delete"}
FINALIZERS = {"add_finalizer", "add_finalizer_and_annotation", "remove_finalizer"}
ELSEWHERE = {
    "finalizers._edit": "its callers pass points",
    "lease._try": "acquire and keep pass points",
    "resuming.whoami": "nothing is written",
}
INTEGRATION = places.PROJECT / "tests" / "integration"


def passed(folder: str) -> list[str]:
    """What the code of a folder gives to `faults.point`, as it is written."""
    files = sorted((places.PROJECT / folder).rglob("*.py"))
    return [argument for file in files for argument in _PASSED.findall(file.read_text(encoding="utf-8"))]


def functions() -> Iterator[tuple[str, ast.AsyncFunctionDef]]:
    """Every function of the operator that may await something, as `module.function`."""
    for file in sorted((places.PROJECT / "operator").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef):
                yield f"{file.stem}.{node.name}", node


def calls(function: ast.AsyncFunctionDef) -> set[str]:
    """What a function calls, as it is written."""
    return {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


def writes(function: ast.AsyncFunctionDef) -> bool:
    """Whether a function writes to the API server."""
    return any(
        call in FINALIZERS or (call.rpartition(".")[0].endswith("cluster") and call.rpartition(".")[2] in WRITES)
        for call in calls(function)
    )


def test_whoever_writes_to_the_api_server_passes_points() -> None:
    found = {name: "faults.point" in calls(function) for name, function in functions() if writes(function)}
    assert {name for name, points in found.items() if not points} == set(ELSEWHERE)
    assert sum(found.values()) >= 12


def test_the_points_in_the_code_are_those_that_are_registered() -> None:
    found = {argument for folder in ("billing", "operator", "cli") for argument in passed(folder)}
    assert found == {f'"{point}"' for point in POINTS}
    assert len(POINTS) == len(set(POINTS))


def test_at_each_registered_point_a_process_is_killed() -> None:
    claimed = {point for name in CLAIMS for point in points_of(name)}
    assert claimed == set(POINTS)


@pytest.mark.parametrize("name", CLAIMS)
def test_who_claims_points_kills_at_all_of_them(name: str) -> None:
    assert "points_of(__file__)" in (INTEGRATION / f"{name}.py").read_text(encoding="utf-8")
