"""Set everything up: tools, virtual environment, locked dependencies, control plane. Standard library only.

A second run finds the stamp of the first and does nothing.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path

from pieced_local import controlplane, places
from pieced_local.locks import file_lock
from pieced_local.progress import CommandFailed, run_with_progress
from pieced_local.tools import missing_tools, uses_own_control_plane


def main(arguments: list[str]) -> int:
    """Set up the Python side, and the control plane unless `--python-only`; returns the exit status."""
    with_control_plane = "--python-only" not in arguments
    sentences = missing_tools(with_control_plane=with_control_plane)
    if sentences:
        print("\n".join(sentences), file=sys.stderr)
        return 1
    try:
        with file_lock(places.PROJECT / ".cache" / "setup.lock"):
            set_up_python()
        if with_control_plane and uses_own_control_plane():
            controlplane.build()
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


def set_up_python() -> None:
    """Make `.venv` hold what `requirements.lock` says, each file checked by its hash, and the project itself."""
    stamp = places.venv() / "pieced-stamp"
    wanted = _stamp_of(places.PROJECT)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not _is_usable(stamp):
        shutil.rmtree(places.venv(), ignore_errors=True)
        venv.create(places.venv(), with_pip=True)
    stamp.unlink(missing_ok=True)
    pip = [
        str(places.venv() / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--progress-bar=off",
    ]
    _run("Installing the locked dependencies", [*pip, "--require-hashes", "-r", "requirements.lock"])
    _run("Installing Pieced", [*pip, "--no-deps", "--no-build-isolation", "-e", "."])
    stamp.write_text(wanted)


def _is_usable(stamp: Path) -> bool:
    """Whether `.venv` was made here, by this Python; one that was moved or is half made is made again."""
    python = places.venv() / "bin" / "python"
    works = python.exists() and subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    if not works or works.returncode != 0:
        return False
    return not stamp.exists() or stamp.read_text().splitlines()[:2] == [sys.version, str(places.PROJECT)]


def _stamp_of(project: Path) -> str:
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((project / name).read_bytes())
    return f"{sys.version}\n{project}\n{digest.hexdigest()}\n"


def _run(title: str, command: list[str]) -> None:
    run_with_progress(title, command, env=places.environment(), folder=places.PROJECT)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.pop("PYTHONPATH", None)  # led here; what is started from here finds its own
    os.umask(0o022)  # the embedded Postgres of root runs as nobody, who has to read the virtual environment
    sys.exit(main(sys.argv[1:]))
