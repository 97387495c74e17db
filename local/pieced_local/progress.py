"""Run a long command and show that it lives: one line that is kept up to date. Standard library only."""

import collections
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pieced_local.errors import LocalError

QUIET_SECONDS = 15


class CommandFailed(LocalError):
    """A command of the setting up failed; carries the last lines that it said."""


def run_with_progress(title: str, command: list[str], *, env: dict[str, str], folder: Path) -> None:
    """Run `command` in `folder`, showing `title`, the time and what it does now; its output only when it fails.

    On a terminal one line is rewritten every second; elsewhere a line is printed every 15 seconds.
    """
    started = time.monotonic()
    said: collections.deque[str] = collections.deque(maxlen=40)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        finished = threading.Event()
        count = [0]

        def read() -> None:
            assert child.stdout is not None
            for line in child.stdout:
                said.append(line.rstrip())
                count[0] += 1
            finished.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            _show_until(finished, title, started, said, count)
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            raise
    if code != 0:
        raise CommandFailed(f"{title}: failed with exit status {code}\n" + "\n".join(said))
    _print_line(f"{title}: done in {time.monotonic() - started:.0f} s", last=True)


def _show_until(
    finished: threading.Event, title: str, started: float, said: collections.deque[str], count: list[int]
) -> None:
    terminal = sys.stderr.isatty()
    _print_line(f"{title} …", last=not terminal)
    while not finished.wait(1 if terminal else QUIET_SECONDS):
        elapsed = int(time.monotonic() - started)
        now = said[-1] if said else ""
        _print_line(f"{title}: {elapsed // 60}:{elapsed % 60:02d}, {count[0]} steps, {now}", last=not terminal)


def _print_line(text: str, *, last: bool) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:118]}", end="\n" if last else "", file=sys.stderr, flush=True)
    else:
        print(text[:118], file=sys.stderr, flush=True)
