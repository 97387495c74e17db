"""Up to which resource version everything that the watch delivered is in the ledger: a restart begins from there."""

import heapq
import time
from typing import Final

from pieced_operator.backlog import Backlog
from pieced_operator.tenants import Tenants

_SETTLED_SECONDS: Final = 3.0


class Position:
    """A lower bound on purpose: what is replayed again changes nothing, what is left out is lost to a gap.

    kopf hands over each object's versions in order, those of different objects nearly so: a version counts as reached
    only when it is a few seconds old.
    """

    def __init__(self, backlog: Backlog, tenants: Tenants) -> None:
        self._backlog = backlog
        self._tenants = tenants
        self._marks: list[tuple[float, int]] = []
        self._settled = 0

    def passed(self, resource_version: int) -> None:
        """Every version up to this one has been delivered: the list or the one watch that told it keeps their order."""
        self._settled = max(self._settled, resource_version)

    def reached(self, resource_version: int) -> None:
        """This version has been delivered, and those before it have been or are on their way."""
        heapq.heappush(self._marks, (time.monotonic() + _SETTLED_SECONDS, resource_version))

    def safe(self) -> int | None:
        """The position now; None as long as there is none."""
        now = time.monotonic()
        while self._marks and self._marks[0][0] <= now:
            self._settled = max(self._settled, heapq.heappop(self._marks)[1])
        held = (known.held[0].version for known in self._tenants if known.held)
        waiting = [int(version.resource_version) for version in held]
        if (lowest := self._backlog.lowest_version()) is not None:
            waiting.append(lowest)
        position = min([self._settled, *(version - 1 for version in waiting)])
        return position if position > 0 else None
