"""Check one copy of the engine: `python -m tests.planted.check PACKAGE HISTORIES KEYWORD`.

PACKAGE is the folder that `pieced_billing` must come from (PYTHONPATH says so). The last line printed is a JSON object:
`different` is the first seed whose bill is not the oracle's, or null; `tests` is pytest's exit status for those tests
of the rules that KEYWORD selects.
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

RULE_TESTS = sorted(str(path) for path in (Path(__file__).parents[1] / "unit").glob("test_rules_*.py"))


def first_different(histories: int) -> int | None:
    for seed in range(histories):
        case = random_case(Random(seed))
        if document(case.books, case.question) != bill(case.books, case.question):
            return seed
    return None


def rule_tests(package: Path, keyword: str) -> int:
    options = ["--noconftest", "-q", "-x", "-p", "pytest_timeout", "-o", f"cache_dir={package.parent / 'cache'}"]
    return int(pytest.main([*options, "-k", keyword, *RULE_TESTS]))


def main(package: Path, histories: int, keyword: str) -> None:
    assert Path(pieced_billing.__file__).parent == package, "another copy of the engine was imported"
    answer = {"different": first_different(histories), "tests": rule_tests(package, keyword)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
