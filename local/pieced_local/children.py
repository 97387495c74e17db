"""Processes that end with us: on purpose when we stop them, and by the kernel when we are killed."""

import shutil
import signal
import subprocess

STOP_SECONDS = 20


def dying_with_parent(command: list[str], death_signal: str = "TERM") -> list[str]:
    """The command line that runs `command` and sends it `death_signal` when the process that started it dies.

    This is Linux's parent death signal; elsewhere the command is left as it is.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", death_signal, "--", *command] if setpriv else command


def stop(child: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM) -> None:
    """End `child`: by the signal that it understands as a request, and by SIGKILL when it takes too long."""
    if child.poll() is None:
        child.send_signal(first)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()
