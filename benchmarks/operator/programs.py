"""The operators that are measured: how each is started, and when its metrics say that nothing is left to do."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from benchmarks.operator.process import Metrics
from benchmarks.peer.shapes import shapes
from pieced_local import places
from pieced_local.errors import LocalError
from pieced_local.progress import run_with_progress
from pieced_local.tools import go_is_here

PEER: Final = places.PROJECT / "benchmarks" / "peer"
BUILT: Final = places.PROJECT / ".cache" / "bench-operator" / "peer"


@dataclass(frozen=True)
class Program:
    """One operator.

    `prepare` makes what has to be there before it runs; `command` gives its command line for a port that its metrics
    are served on; `is_idle` says of its metrics, for a number of tenants, whether all are as wanted and nothing waits;
    `requests` is the metric that counts its requests to the API server, where it has one.
    """

    name: str
    title: str
    prepare: Callable[[], None]
    command: Callable[[int], list[str]]
    is_idle: Callable[[Metrics, int], bool]
    requests: str | None


def _nothing() -> None:
    """All that it takes is installed."""


def _pieced(port: int) -> list[str]:
    return [str(Path(sys.executable).with_name("pieced")), "operator", "run", "--listen", f"127.0.0.1:{port}"]


def _pieced_is_idle(found: Metrics, tenants: int) -> bool:
    waiting = ("pieced_reconcile_queue_depth", "pieced_ledger_queue_depth", "pieced_children_unread")
    settled = sum(found.get(f'pieced_tenants{{phase="{phase}"}}', 0) for phase in ("Ready", "Suspended"))
    return settled == tenants and all(found.get(name) == 0 for name in waiting)


def _write_shapes() -> None:
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / "shapes.json").write_bytes(orjson.dumps(shapes()))


def _kopf(port: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.peer.kopf_peer", f"127.0.0.1:{port}", str(BUILT / "shapes.json")]


def _kopf_is_idle(found: Metrics, tenants: int) -> bool:
    return found.get("peer_handled_total", -1) >= tenants and found["peer_in_work"] == 0


def _build_go() -> None:
    if not go_is_here():
        raise LocalError("The Go operator is built with Go 1.26: install it, or leave go out of --programs.")
    _write_shapes()
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-o", str(BUILT / "peer"), "."]
    run_with_progress("Building the Go operator", command, env=places.go_environment(), folder=PEER)


def _go(port: int) -> list[str]:
    return [str(BUILT / "peer"), f"127.0.0.1:{port}", str(BUILT / "shapes.json")]


def _go_is_idle(found: Metrics, tenants: int) -> bool:
    waiting = ("workqueue_depth", "controller_runtime_active_workers")
    return found.get("peer_settled") == tenants and all(found.get(name, 0) == 0 for name in waiting)


PROGRAMS: Final = {
    program.name: program
    for program in (
        Program("pieced", "Pieced", _nothing, _pieced, _pieced_is_idle, "pieced_api_requests_total"),
        Program("kopf", "bare kopf", _write_shapes, _kopf, _kopf_is_idle, None),
        Program("go", "minimal Go", _build_go, _go, _go_is_idle, "rest_client_requests_total"),
    )
}
