"""The transcripts on the pages are real: each `$ command` is run, in order, and prints what the page says.

A page's ```console blocks are one session on a database of its own. `…` stands for what may differ from run to run.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import clean_environment
from tests.databases import Database

PROJECT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [
    str(path.relative_to(PROJECT))
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
    if BLOCK.search(path.read_text())
]


def session(page: str) -> list[tuple[str, str]]:
    """The (command, expected output) of all transcripts of a page."""
    found = []
    for block in BLOCK.findall((PROJECT / page).read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = re.sub(r"\\\n", "", part).partition("\n")
            found.append((command, output.strip()))
    return found


def pattern(expected: str) -> str:
    """A regular expression for the expected output: `…` is any text of one line, spaces at line ends are nothing."""
    lines = [r"[^\n]*".join(re.escape(part) for part in line.rstrip().split("…")) for line in expected.splitlines()]
    return r"[ ]*\n".join(lines)


@pytest.mark.parametrize("page", PAGES)
def test_the_transcripts_of_the_page_are_real(page: str, database: Database) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = clean_environment() | database.env() | {"PATH": path, "COLUMNS": "120"}
    for command, expected in session(page):
        done = subprocess.run(
            ["sh", "-c", f"{command} 2>&1"], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
        )
        assert re.fullmatch(pattern(expected), done.stdout.strip()), f"$ {command}\n{done.stdout}"


def test_the_readme_shows_a_session() -> None:
    assert "README.md" in PAGES
