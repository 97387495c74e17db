"""The operator as a process of its own, as a Deployment would run it."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from pieced_local import places
from pieced_local.children import dying_with_parent, stop
from pieced_local.errors import LocalError
from pieced_local.ports import free_port

READY_SECONDS = 60


class OperatorFailed(LocalError):
    """The operator ended by itself; the sentence names its log."""


class OperatorProcess:
    """Starts and stops `pieced operator run`. Its log goes on in the same file."""

    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        """`variables` name its database and its cluster."""
        self._variables = variables
        self._log = log
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is ready. Raises OperatorFailed."""
        port = free_port()
        command = [str(places.venv() / "bin" / "pieced"), "operator", "run", "--listen", f"127.0.0.1:{port}"]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                dying_with_parent(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=places.environment() | dict(self._variables),
                process_group=0,  # Ctrl-C is for us; it is stopped before what it works with
            )
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(f"http://127.0.0.1:{port}/readyz"):
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise OperatorFailed(f"The operator did not become ready; {self._end_of_log()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as Kubernetes would, by SIGTERM."""
        if self._child is not None:
            stop(self._child)
            self._child = None

    def wait(self) -> None:
        """Wait until it ends, which it does not do by itself. Raises OperatorFailed."""
        assert self._child is not None
        self._child.wait()
        raise OperatorFailed(f"The operator ended by itself; {self._end_of_log()}")

    def _end_of_log(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return f"{self._log} ends with: {lines[-1] if lines else 'nothing'}"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return True
    except (urllib.error.URLError, OSError):
        return False
