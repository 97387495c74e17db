"""The `pieced` command as its users run it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.forked import run_forked

PIECED = Path(sys.executable).with_name("pieced")


def run_pieced(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `pieced ARGUMENTS` to its end. Nothing of the caller's own database or cluster reaches it but through `env`.

    With `check` a non-zero exit status fails the test and shows what the command said.
    """
    command, environment = [str(PIECED), *arguments], clean_environment() | dict(env or {})
    if any(name.startswith("PYTHON") for name in env or {}):  # which Python reads when it starts, and only then
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, check=False)
    else:
        done = run_forked(command, environment, stdin)
    if check:
        assert done.returncode == 0, f"pieced {' '.join(arguments)} ended with {done.returncode}: {done.stderr}"
    return done


def clean_environment() -> dict[str, str]:
    """This process' environment without settings of Pieced, of a cluster or of a database."""
    kept = ("PIECED_CACHE",)
    names = [
        name
        for name in os.environ
        if name in kept or not name.startswith(("PIECED_", "DATABASE_URL", "KUBECONFIG", "PG"))
    ]
    return {name: os.environ[name] for name in names}
