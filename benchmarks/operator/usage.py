"""What an operator spent between two moments: processor time, requests, and writes by the API server's audit log."""

from dataclasses import dataclass

from benchmarks.operator.process import Process
from benchmarks.operator.world import World


@dataclass(frozen=True)
class Spent:
    """Between two moments; `requests` is None where the operator does not count them."""

    cpu_seconds: float
    requests: float | None
    writes: int


class Usage:
    """Begins to count: with a process that runs already, or before it starts."""

    def __init__(self, world: World, process: Process | None = None) -> None:
        self._world = world
        self._cpu_seconds = process.cpu_seconds() if process else 0.0
        self._requests = self._requests_of(process) if process else 0.0
        self._audit_size = world.audit_size()

    def until_now(self, process: Process) -> Spent:
        """What was spent since."""
        requests = self._requests_of(process)
        return Spent(
            process.cpu_seconds() - self._cpu_seconds,
            None if requests is None or self._requests is None else requests - self._requests,
            self._world.writes_since(self._audit_size),
        )

    def _requests_of(self, process: Process) -> float | None:
        name = self._world.program.requests
        return None if name is None else process.metrics().get(name, 0.0)
