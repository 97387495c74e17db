"""Check one copy of the engine: `python -m tests.planted.check PACKAGE HISTORIES KEYWORD`.

PACKAGE is the folder that `pieced_billing` must come from (PYTHONPATH says so). The last line printed is a JSON object:
`different` is the first seed whose bill is not the oracle's, or null; of rule 17, whose bills month by month are not
what is owed by then. `tests` is pytest's exit status for those tests of the rules that KEYWORD selects.
"""

import json
import sys
from pathlib import Path
from random import Random

import pytest

import pieced_billing
from tests.engine import document
from tests.oracle.bill import bill
from tests.property.histories import random_case
from tests.property.lateness import first_wrong

FILES = ("rules_*", "adjustments", "issue", "credit")
UNIT = Path(__file__).parents[1] / "unit"
RULE_TESTS = [str(path) for name in FILES for path in sorted(UNIT.glob(f"test_{name}.py"))]


def is_different(seed: int) -> bool:
    case = random_case(Random(seed))
    return document(case.books, case.question) != bill(case.books, case.question)


def is_wrong_month_by_month(seed: int) -> bool:
    return first_wrong(seed) is not None


def first_different(histories: int, keyword: str) -> int | None:
    differs = is_wrong_month_by_month if "rule_17_" in keyword else is_different
    return next((seed for seed in range(histories) if differs(seed)), None)


def rule_tests(package: Path, keyword: str) -> int:
    options = ["--noconftest", "-q", "-x", "-p", "pytest_timeout", "-o", f"cache_dir={package.parent / 'cache'}"]
    return int(pytest.main([*options, "-k", keyword, *RULE_TESTS]))


def main(package: Path, histories: int, keyword: str) -> None:
    assert Path(pieced_billing.__file__).parent == package, "another copy of the engine was imported"
    answer = {"different": first_different(histories, keyword), "tests": rule_tests(package, keyword)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
