"""An error planted in a copy of the engine is caught: by comparing with the oracle, and by the rule's own tests."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from tests.planted.plants import PLANTS, Plant

PROJECT = Path(__file__).parents[2]
ENGINE = PROJECT / "billing" / "pieced_billing"
HISTORIES = 300
FEW_HISTORIES = 30
"""Enough for an error that the comparison is not expected to find."""


def copy_of_engine(folder: Path) -> Path:
    """A copy with what Python has compiled of it, which would else be compiled for each error."""
    return shutil.copytree(ENGINE, folder / "pieced_billing")


def plant(package: Path, error: Plant) -> None:
    source = (package / error.file).read_text()
    assert source.count(error.right) == 1, f"{error.right!r} is not exactly once in {error.file}"
    (package / error.file).write_text(source.replace(error.right, error.wrong))
    Path(cache_from_source(str(package / error.file))).unlink(missing_ok=True)


def check(package: Path, keyword: str, histories: int = HISTORIES) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.planted.check", str(package), str(histories), keyword],
        cwd=PROJECT,
        env={
            **os.environ,
            "PYTHONPATH": f"{package.parent}{os.pathsep}{PROJECT}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # what it does not need takes longer to load than the tests take
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return answer


def named(error: Plant) -> str:
    return f"rule {error.rule}, {error.file}"


def test_every_rule_has_an_error_planted() -> None:
    assert sorted({error.rule for error in PLANTS}) == list(range(1, 19))


def test_a_copy_without_an_error_gives_the_oracles_bills_and_passes_the_rules_tests(tmp_path: Path) -> None:
    assert check(copy_of_engine(tmp_path), "rule_") == {"different": None, "tests": pytest.ExitCode.OK}


@pytest.mark.parametrize("error", PLANTS, ids=named)
def test_a_planted_error_is_caught(error: Plant, tmp_path: Path) -> None:
    package = copy_of_engine(tmp_path)
    plant(package, error)
    histories = HISTORIES if error.compared else FEW_HISTORIES
    answer = check(package, f"rule_{error.rule}_{' or credit' * (error.rule == 17)}", histories)
    assert answer["tests"] == pytest.ExitCode.TESTS_FAILED
    assert (answer["different"] is not None) == error.compared
