"""A long command that is run with progress: its failure is told, and its end is our end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pieced_local.progress import CommandFailed, run_with_progress
from tests.processes import await_none_left, processes_with

RUN_LONG = """
import os, signal, sys
from pathlib import Path
from pieced_local.progress import run_with_progress
signal.signal(signal.SIGTERM, signal.default_int_handler)
run_with_progress("Building", ["sh", "-c", "sleep 100; sleep 100"], env=dict(os.environ), folder=Path.cwd())
"""


def test_a_failure_carries_what_the_command_said() -> None:
    with pytest.raises(CommandFailed, match=r"Building: failed with exit status 3\nno compiler"):
        run_with_progress("Building", ["sh", "-c", "echo no compiler >&2; exit 3"], env={}, folder=Path.cwd())


def test_success_says_nothing_of_what_the_command_said(capsys: pytest.CaptureFixture[str]) -> None:
    run_with_progress("Building", ["sh", "-c", "echo noise"], env={}, folder=Path.cwd())
    assert "noise" not in capsys.readouterr().err


def test_a_request_to_stop_ends_what_the_command_started(tmp_path: Path) -> None:
    builder = subprocess.Popen(
        [sys.executable, "-c", RUN_LONG],
        env={"BUILT_IN": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
    )
    with builder:
        deadline = time.monotonic() + 60
        while len(processes_with("BUILT_IN", tmp_path)) < 3:  # the builder, the shell, the sleep
            assert time.monotonic() < deadline, "it starts"
            time.sleep(0.02)
        builder.send_signal(signal.SIGTERM)
    await_none_left("BUILT_IN", tmp_path)
