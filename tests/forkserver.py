"""Forks processes that have loaded all modules already: `python tests/forkserver.py FD`, see tests/forked.py.

Loading them is most of what a short command costs. Pieced's own do nothing but define things when they are loaded; the
program `pieced` is then run from its first line to its last.
"""

import atexit
import ctypes
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from kubernetes.config import kube_config

LIBRARIES = (
    "aiohttp.web",
    "alembic.command",
    "alembic.config",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
    "kopf",
    "msgspec",
    "orjson",
    "prometheus_client",
    "psycopg_pool",
    "pydantic.alias_generators",
    "rich.table",
    "sqlalchemy",
    "structlog",
    "typer",
    "yaml",
    "zoneinfo",
)
PIECED = ("pieced_billing", "pieced_operator", "pieced_cli")
NUMBER = struct.Struct("i")
LARGEST_REQUEST = 1 << 20
_PR_SET_PDEATHSIG = 1


def serve(channel: socket.socket) -> None:
    """Fork a process for each request, until nobody is left to send one."""
    for module in (*LIBRARIES, *_modules_of_pieced()):
        importlib.import_module(module)
    assert threading.active_count() == 1, "a thread would not be there after the fork"
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for keepers
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, LARGEST_REQUEST, 4)
        if not message:
            return
        if os.fork() == 0:
            channel.close()
            _keep(json.loads(message), descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _modules_of_pieced() -> Iterator[str]:
    for name in PIECED:
        package = importlib.import_module(name)
        yield from (module.name for module in pkgutil.walk_packages(package.__path__, f"{name}."))


def _keep(request: dict[str, Any], descriptors: list[int]) -> None:
    """Be the parent of the process that was asked for: tell its number, and in the end how it ended."""
    _die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *standard, told = descriptors
    process = os.fork()
    if process == 0:
        os.close(told)
        _become(request, standard)
        return
    for descriptor in standard:
        os.close(descriptor)
    os.write(told, NUMBER.pack(process))
    os.write(told, NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])))
    os._exit(0)


def _become(request: dict[str, Any], standard: list[int]) -> None:
    """Run a Python program as if this process had been started for it."""
    _die_with_parent(signal.SIGTERM)
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    # What a library has read of the environment when it was loaded.
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = os.environ.get("KUBECONFIG", "~/.kube/config")
    if "PYTHONFAULTHANDLER" in os.environ:
        faulthandler.enable()
    sys.argv = request["command"]
    sys.path[0] = os.path.dirname(sys.argv[0])  # noqa: PTH120 - as Python itself puts it
    status: str | int | None = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        status = end.code
    if status is None or isinstance(status, int):
        _end_at_once(status or 0)
    sys.exit(status)


def _end_at_once(status: int) -> None:
    """End as Python does, without taking every module apart, which takes longer than what most commands do.

    Returns where Python would have something to say: output that cannot be written.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(status & 0xFF)


def _die_with_parent(how: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
