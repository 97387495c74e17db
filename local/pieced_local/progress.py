"""Run a long command and show that it lives: one line that is kept up to date. Standard library only."""

import collections
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from pieced_local.errors import LocalError

QUIET_SECONDS = 15
KEPT_LINES = 40
WIDTH = 118


class CommandFailed(LocalError):
    """A command of the setting up failed; carries the last lines that it said."""


def run_with_progress(title: str, command: list[str], *, env: dict[str, str], folder: Path) -> None:
    """Run `command` in `folder`, showing `title`, the time and what it does now; its output only when it fails.

    On a terminal one line is rewritten every second; elsewhere a line is printed every 15 seconds.
    """
    started = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,  # so that what the command itself started can be ended with it
    ) as child:
        assert child.stdout is not None
        output = _Output(child.stdout)
        try:
            output.show_until_it_ends(title, started)
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            raise
    if code != 0:
        raise CommandFailed(f"{title}: failed with exit status {code}\n" + "\n".join(output.last_lines))
    _print_line(f"{title}: done in {time.monotonic() - started:.0f} s", stays=True)


class _Output:
    """What a command says, read as it comes."""

    def __init__(self, stream: IO[str]) -> None:
        self.last_lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._count = 0
        self._ended = threading.Event()
        threading.Thread(target=self._read, args=[stream], daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.last_lines.append(line.rstrip())
            self._count += 1
        self._ended.set()

    def show_until_it_ends(self, title: str, started: float) -> None:
        """Print what happens now, again and again."""
        terminal = sys.stderr.isatty()
        _print_line(f"{title} …", stays=not terminal)
        while not self._ended.wait(1 if terminal else QUIET_SECONDS):
            minutes, seconds = divmod(int(time.monotonic() - started), 60)
            now = self.last_lines[-1] if self.last_lines else ""
            _print_line(f"{title}: {minutes}:{seconds:02d}, {self._count} steps, {now}", stays=not terminal)


def _print_line(text: str, *, stays: bool) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:WIDTH]}", end="\n" if stays else "", file=sys.stderr, flush=True)
    else:
        print(text[:WIDTH], file=sys.stderr, flush=True)
