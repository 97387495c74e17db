"""`make demo`'s process: the whole story, twice in a row, with nothing left behind."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pieced_local.children import dying_with_parent
from tests.commands import clean_environment
from tests.invoice_documents import codes
from tests.processes import await_none_left


@pytest.mark.timeout(600)
def test_the_story_is_told_twice_in_a_row(worker_state: Path) -> None:
    state = worker_state / "demo"
    for _ in range(2):
        told = subprocess.run(
            dying_with_parent([sys.executable, "-m", "pieced_local", "demo"]),
            env=clean_environment() | {"PIECED_STATE": str(state)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        assert_story(told.stdout)
        assert_document(told.stdout, state)
        await_none_left("PIECED_STATE", state)


def assert_story(told: str) -> None:
    """Every kind of event was shown, one of them replayed, and every invoice of the past has a number."""
    for kind in ("created", "enabled", "disabled", "suspended", "resumed", "deleted"):
        assert re.search(rf"^\S+ +{kind}\b.* \d+\.\d\d s$", told, flags=re.MULTILINE), f"no row with {kind}:\n{told}"
    assert re.search(r"bergbahn +disabled discord +[\d:.]+ +exact +replay ", told)
    assert re.search(r"Between [\d:.]+ and [\d:.]+: as the API server wrote it", told)
    assert len(re.findall(r"^\$ pieced invoice run --month", told, flags=re.MULTILINE)) == 3
    assert "From kubectl apply to invoices in" in told


def assert_document(told: str, state: Path) -> None:
    """The story ends with an invoice on disk whose code says what is asked for, and why one of its lines is so."""
    (number,) = re.findall(r"^\$ pieced invoice pdf (\S+) -o ", told, flags=re.MULTILINE)
    (found,) = (code for page in codes((state / f"{number}.pdf").read_bytes()) for code in page)
    assert found.bytes.decode().split("\n")[-2:] == [number, "EPD"]
    _, _, explained = told.partition(f"$ pieced explain {number} --line ")
    assert re.search(r"^\d+: acme-workshop, monthly fee   CHF \S+ = \S+ × 16 ÷ \d\d$", explained, flags=re.MULTILINE)
    assert "s suspended: 2\n" in explained
