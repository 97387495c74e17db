"""Setting up: what is missing is said in a sentence before anything else has run, and a second run does nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pieced_local.places import PROJECT
from tests.commands import clean_environment

NEEDED_BY_THE_SCRIPTS = ("sh", "dirname", "git")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project as a clone has it: nothing set up."""
    copy = tmp_path / "pieced"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    for name in listed.decode().rstrip("\0").split("\0"):
        if (PROJECT / name).is_file():  # not one that the next commit removes
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    return copy


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that is all of PATH, with the few programs that setting up starts with."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in NEEDED_BY_THE_SCRIPTS:
        there = shutil.which(name)
        assert there is not None
        write_program(folder / name, f'exec "{there}" "$@"')
    write_program(folder / "python3", f'exec "{Path(sys.executable).resolve()}" "$@"')
    return folder


def test_a_missing_go_is_a_sentence_that_names_the_way_around(checkout: Path, programs: Path) -> None:
    said = set_up(checkout, programs)
    assert said.startswith("Go is missing: install Go 1.26 or newer")
    assert "KUBECONFIG" in said


def test_an_old_go_is_named(checkout: Path, programs: Path) -> None:
    write_program(programs / "go", "echo go1.22.3")
    assert set_up(checkout, programs).startswith("Go 1.22 is too old: install Go 1.26 or newer")


def test_a_missing_git_is_a_sentence(checkout: Path, programs: Path) -> None:
    (programs / "git").unlink()
    write_program(programs / "go", "echo go1.26.1")
    assert set_up(checkout, programs) == "git is needed: install your system's package git.\n"


def test_a_missing_python_is_a_sentence(checkout: Path, programs: Path) -> None:
    write_program(programs / "python3", "exit 1")  # as one does that is older than 3.11
    assert set_up(checkout, programs).startswith("Python 3.11 or newer is needed: install it")


def test_a_kubeconfig_serves_instead_of_go_and_needs_kubectl(checkout: Path, programs: Path) -> None:
    said = set_up(checkout, programs, KUBECONFIG="/some/kubeconfig")
    assert said.startswith("kubectl is needed for the cluster of KUBECONFIG: install it")


def test_a_second_run_does_nothing() -> None:
    stamp = PROJECT / ".venv" / "pieced-stamp"
    before = stamp.stat().st_mtime_ns
    script = PROJECT / "local" / "setup.sh"
    second = subprocess.run([script, "--python-only"], env=clean_environment(), capture_output=True, check=True)
    assert (second.stdout, second.stderr) == (b"", b"")
    assert stamp.stat().st_mtime_ns == before


def set_up(checkout: Path, programs: Path, **variables: str) -> str:
    """Set up a checkout from which something is missing; what it said, having done nothing."""
    done = subprocess.run(
        [checkout / "local" / "setup.sh"],
        env={"PATH": str(programs), "HOME": os.environ["HOME"], "PIECED_CACHE": str(checkout / "cache")} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv").exists()
    return done.stderr


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
