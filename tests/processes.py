"""Which processes somebody left behind: told by a variable in their environment, which every child inherits."""

import os
import time
from pathlib import Path

WAIT_SECONDS = 60


def processes_with(variable: str, value: object) -> set[int]:
    """The ids of the processes that run with VARIABLE=VALUE, zombies not counted."""
    wanted = f"{variable}={value}".encode()
    found = set()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
    return found - {os.getpid()}


def await_none_left(variable: str, value: object) -> None:
    """Wait until no process runs with VARIABLE=VALUE; fails and names those that stay."""
    deadline = time.monotonic() + WAIT_SECONDS
    while left := processes_with(variable, value):
        commands = [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in left if _runs(pid)]
        assert time.monotonic() < deadline, f"left behind: {commands}"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
