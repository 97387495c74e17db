"""The transcripts on the pages are real: each `$ command` is run, in order, and prints what the page says.

A page's ```console blocks are one session on a local stack of its own: control plane, Postgres, operator. `…` stands
for what may differ from run to run. What only looks is asked again until it shows what it should: the operator works
while the session goes on.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pieced_local import stack
from tests.apiserver import awaited

PROJECT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LOOKS = ("kubectl get", "pieced ledger show", "pieced invoice draft")
PAGES = [
    str(path.relative_to(PROJECT))
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
    if BLOCK.search(path.read_text())
]


def session(page: str) -> Iterator[tuple[str, str]]:
    """The (command, expected output) of all transcripts of a page."""
    for block in BLOCK.findall((PROJECT / page).read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = re.sub(r"\\\n", "", part).partition("\n")
            yield command, output.strip()


def pattern(expected: str) -> re.Pattern[str]:
    """What the output must look like: `…` is any text of one line, spaces around it and at line ends are nothing."""
    lines = [r"[^\n]*".join(map(re.escape, re.split(" *… *", line.rstrip()))) for line in expected.splitlines()]
    return re.compile(r"[ ]*\n".join(lines))


def output_of(command: str, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-c", f"{command} 2>&1"], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


@pytest.mark.timeout(900)  # a busy machine takes its time
@pytest.mark.parametrize("page", PAGES)
def test_the_transcripts_of_the_page_are_real(page: str, worker_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIECED_STATE", str(worker_state / "transcript"))
    for variable in ("KUBECONFIG", "DATABASE_URL", "PIECED_OWNER_URL"):
        monkeypatch.delenv(variable, raising=False)
    with stack.running(Console(file=StringIO())) as running:
        env = running.variables() | {"COLUMNS": "120"}
        env["PATH"] = f"{PROJECT / '.venv/bin'}{os.pathsep}{env['PATH']}"
        for command, expected in session(page):
            run(command, pattern(expected), env)


def run(command: str, wanted: re.Pattern[str], env: Mapping[str, str]) -> None:
    """Run a command until it has printed what is wanted; one that does more than look is run once."""
    if command.startswith(LOOKS):
        awaited(lambda: output_of(command, env), lambda shown: wanted.fullmatch(shown) is not None)
    else:
        shown = output_of(command, env)
        assert wanted.fullmatch(shown), f"$ {command}\n{shown}"
