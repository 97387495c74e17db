"""An operator process that is doomed: each time it is started it carries the name of a point at which it will die."""

from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Final

from pieced_billing.faults import POINTS
from tests.faults.world import World
from tests.operators import Operator

_ELSEWHERE: Final = (
    *("upgrade.", "run.", "numbers.", "resume.", "seal.", "release."),
    *("lease.before_release", "lease.after_release"),
)
"""Where an operator that nobody asks to end does not come by."""

OPERATOR_POINTS: Final = tuple(point for point in POINTS if not point.startswith(_ELSEWHERE))
_WAITING: Final = "pieced_ledger_queue_depth"
_DOOMED: Final = 0.7
"""How often it is; otherwise it lives until something else kills it."""


class Replica:
    """One replica of the operator, restarted as a kubelet would."""

    def __init__(self, world: World, random: Random) -> None:
        self.reached: Counter[str] = Counter()
        """How often it died at each point."""
        self.starts = 0
        self._sent_to: Counter[str] = Counter()
        self.may_begin_anew = False
        """Whether it may end by itself because the API server had older data than before."""
        self._operator = Operator(world.cluster, world.proxied, world.folder, pod="faulted")
        self._died = world.folder / "died"
        self._random = random
        self._killed_at: datetime | None = None

    def start(self) -> None:
        """Start it, and wait until it has listed everything or has died."""
        self._killed_at = None
        self._died.unlink(missing_ok=True)
        doom = {"PIECED_FAULT": self._doom()} if self._random.random() < _DOOMED else {}
        self._operator.launch(PIECED_FAULT_LOG=str(self._died), **doom)
        self.starts += 1
        self._operator.await_leading(or_end=True)

    def kill(self) -> None:
        """SIGKILL, unless it is dead."""
        if self.died_at() is None:
            self._killed_at = datetime.now(UTC)
            self._operator.kill()

    def died_at(self) -> datetime | None:
        """When it died; None while it lives."""
        if self._killed_at is None and self._operator.has_ended():
            self._operator.await_end()
            self._killed_at = datetime.now(UTC)
            self._killed_at = self._end()
        return self._killed_at

    def _end(self) -> datetime:
        """When it ended, where it was not killed from outside."""
        if not self._died.exists():
            last = self._operator.end_of_log()
            assert self.may_begin_anew, f"it ended by itself: {last}"
            assert "went back" in last, last
            return datetime.fromtimestamp(self.log.stat().st_mtime, UTC)
        self.reached[self._died.read_text().strip()] += 1
        return datetime.fromtimestamp(self._died.stat().st_mtime, UTC)

    def has_written_all(self) -> bool:
        """Whether it answers that nothing waits to be written to the ledger."""
        return self._operator.page("metrics")[0] == HTTPStatus.OK and not self._operator.metric(_WAITING)

    @property
    def log(self) -> Path:
        """What it wrote, in all its lives."""
        return self._operator.log

    def end_of_log(self) -> str:
        """The last lines that it wrote."""
        return self._operator.end_of_log()

    def _doom(self) -> str:
        """A point that it was sent to least often, and at which of its passages it is to die."""
        fewest = min(self._sent_to[point] for point in OPERATOR_POINTS)
        point = self._random.choice([point for point in OPERATOR_POINTS if self._sent_to[point] == fewest])
        self._sent_to[point] += 1
        return f"{point}:{self._random.choice([1, 1, 2, 3, 5, 10, 20, 40])}"
