"""The mutants of a module, made by cosmic-ray in a copy of the tree, each tried against the tests of the pure core."""

import ast
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Final, NamedTuple

from attrs import evolve
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

PROJECT: Final = Path(__file__).parents[2]
CACHE: Final = PROJECT / ".cache" / "mutation"
TREE: Final = CACHE / "tree"
ENGINE: Final = Path("billing/pieced_billing")
UNIT_TESTS: Final = ("rules_*", "money", "calendar", "field_failures", "example_bill", "credit", "adjustments")
ORACLE: Final = "tests/oracle/test_thousands.py::test_the_engine_gives_the_oracles_bill[0]"
UNLIKELY: Final = re.compile(r"core/ReplaceBinaryOperator_\w+_(Pow|Mod|Div|FloorDiv|LShift|RShift)")
"""Nobody writes a power for a sum by mistake, and hardly a test would not notice: it would only better the share."""
SECONDS: Final = 30.0
"""After which a mutant that runs on is taken to have been noticed: the tests take one or two."""


class Mutant(NamedTuple):
    """One small change of a line, and whether a test failed with it; `after` is empty where the line was removed."""

    file: str
    before: str
    after: str
    killed: bool


def modules() -> list[Path]:
    """What decides an amount: rating, money, calendar; relative to the tree."""
    found = [
        *(PROJECT / ENGINE / "rating").glob("*.py"),
        PROJECT / ENGINE / "money.py",
        PROJECT / ENGINE / "calendar.py",
    ]
    return sorted(path.relative_to(PROJECT) for path in found if path.name != "__init__.py")


def copy_tree() -> None:
    """A fresh copy, for a mutant that was being tried when somebody stopped us is still in the last one."""
    shutil.rmtree(TREE, ignore_errors=True)
    for folder in ("billing", "tests", "docs/examples"):
        shutil.copytree(PROJECT / folder, TREE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(PROJECT / "pyproject.toml", TREE)
    os.environ |= {"PYTHONPATH": str(TREE / "billing"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with chdir(TREE):
        subprocess.run(shlex.split(_test_command()), check=True, stdout=subprocess.DEVNULL)


def _unit_tests() -> list[Path]:
    return [path for name in UNIT_TESTS for path in sorted(Path("tests/unit").glob(f"test_{name}.py"))]


def _test_command() -> str:
    """The fastest first; what hundreds of random histories notice comes last."""
    files = " ".join(map(str, _unit_tests()))
    return f"{sys.executable} -m pytest -q -x --noconftest -p pytest_timeout {files} {ORACLE}"


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def mutants(module: Path) -> Iterator[Mutant]:
    """Try what was not tried before, and what survived other tests than these; each with its result."""
    with chdir(TREE), use_db(_session(module)) as session:
        if session.num_work_items == 0:
            init([module], session, {})
            _skip(session, module)
        tests = _digest(_unit_tests())
        known = {item.job_id: result for item, result in session.completed_work_items}
        for item in session.work_items:
            result = known.get(item.job_id)
            if result is None or (result.test_outcome is TestOutcome.SURVIVED and result.output != tests):
                result = evolve(mutate_and_test(item.mutations, _test_command(), SECONDS), output=tests)
                session.set_result(item.job_id, result)
            if result.worker_outcome is not WorkerOutcome.SKIPPED:
                yield _mutant(module, result)


def _session(module: Path) -> Path:
    """Where the results are kept: for this text of the module alone."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE / f"{module.stem}-{_digest([module])}.sqlite"


def _mutant(module: Path, result: WorkResult) -> Mutant:
    assert result.worker_outcome is WorkerOutcome.NORMAL, "cosmic-ray could not make the change"
    changed = [line for line in str(result.diff).splitlines() if line[:3] not in {"---", "+++"}]
    before, after = (
        " ".join(line[1:].strip() for line in changed if line.startswith(sign)).strip() for sign in ("-", "+")
    )
    return Mutant(str(module.relative_to(ENGINE)), before, after, result.is_killed)


def _skip(session: WorkDB, module: Path) -> None:
    """Leave out what no mistake looks like, and types: Python itself notices `str & None` in a signature."""
    spans = [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in _annotations(ast.parse(module.read_text(encoding="utf-8")))
    ]
    skipped = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
    for item in session.work_items:
        is_type = any(begin <= _position(item) < end for begin, end in spans)
        if is_type or UNLIKELY.fullmatch(item.mutations[0].operator_name):
            session.set_result(item.job_id, skipped)


def _position(item: WorkItem) -> tuple[int, int]:
    line, column = item.mutations[0].start_pos
    return line, column


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        found = None
        if isinstance(node, ast.arg | ast.AnnAssign):
            found = node.annotation
        elif isinstance(node, ast.FunctionDef):
            found = node.returns
        if found is not None:
            yield found
