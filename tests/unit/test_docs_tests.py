"""The tests that pages name as showing something are there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")
PAGES = sorted(page.name for page in (PROJECT / "docs").glob("*.md") if NAMED.search(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    named = NAMED.findall((PROJECT / "docs" / page).read_text(encoding="utf-8"))
    missing = [f"{file}::{test}" for file, test in named if not defines(PROJECT / file, test)]
    assert missing == []


def defines(file: Path, test: str) -> bool:
    return re.search(rf"^(def|class) {test}\b", file.read_text(encoding="utf-8"), re.MULTILINE) is not None
