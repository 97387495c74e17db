"""The operators that are measured: how each is started, and when its metrics say that nothing is left to do."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator.process import Metrics


@dataclass(frozen=True)
class Program:
    """One operator.

    `command` gives its command line for a port that its metrics are served on; `is_idle` says of its metrics, for a
    number of tenants, whether all are as wanted and nothing waits; `requests` is the metric that counts its requests to
    the API server.
    """

    name: str
    title: str
    command: Callable[[int], list[str]]
    is_idle: Callable[[Metrics, int], bool]
    requests: str | None


def _pieced(port: int) -> list[str]:
    return [str(Path(sys.executable).with_name("pieced")), "operator", "run", "--listen", f"127.0.0.1:{port}"]


def _pieced_is_idle(found: Metrics, tenants: int) -> bool:
    waiting = ("pieced_reconcile_queue_depth", "pieced_ledger_queue_depth", "pieced_children_unread")
    settled = sum(found.get(f'pieced_tenants{{phase="{phase}"}}', 0) for phase in ("Ready", "Suspended"))
    return settled == tenants and all(found.get(name) == 0 for name in waiting)


PROGRAMS = {
    "pieced": Program("pieced", "Pieced", _pieced, _pieced_is_idle, "pieced_api_requests_total"),
}
