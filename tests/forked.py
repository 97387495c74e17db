"""Processes that begin at once: forked from one that has loaded all modules, and otherwise as any other process."""

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.forkserver import NUMBER

_SERVER = Path(__file__).with_name("forkserver.py")
_STARTING = threading.Lock()


class Forked:
    """A process that runs a Python program of this virtual environment; used as a `subprocess.Popen` is.

    `stdin`, `stdout` and `stderr` are file descriptors.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str], stdin: int, stdout: int, stderr: int) -> None:
        self._command = list(command)
        self._told, telling = os.pipe()
        self._status: int | None = None
        request = {"command": self._command, "environment": dict(env), "folder": str(Path.cwd())}
        try:
            socket.send_fds(_server(), [json.dumps(request).encode()], [stdin, stdout, stderr, telling])
        finally:
            os.close(telling)
        self.pid = self._number()

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; the exit status, negative for a signal. Raises subprocess.TimeoutExpired."""
        if self._status is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._command, timeout or 0)
            self._status = self._number()
            os.close(self._told)
        return self._status

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _number(self) -> int:
        told = os.read(self._told, NUMBER.size)
        assert len(told) == NUMBER.size, "the fork server died"
        number: int = NUMBER.unpack(told)[0]
        return number


def run_forked(
    command: Sequence[str], env: Mapping[str, str], given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a Python program to its end, with `given` or nothing at its standard input."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write((given or "").encode())
        stdin.seek(0)
        status = Forked(command, env, stdin.fileno(), stdout.fileno(), stderr.fileno()).wait()
        for output in (stdout, stderr):
            output.seek(0)
        return subprocess.CompletedProcess(list(command), status, stdout.read().decode(), stderr.read().decode())


def _server() -> socket.socket:
    """The connection to this process' fork server, started once, whichever threads ask for it first."""
    with _STARTING:
        return _started()


@functools.cache
def _started() -> socket.socket:
    """A fork server, which ends when its connection does: the death of a parent's thread would end it too early."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, str(_SERVER), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            process_group=0,  # Ctrl-C is for us; what was forked ends with us
        )

    def stop() -> None:
        ours.close()
        server.wait()

    atexit.register(stop)
    return ours
