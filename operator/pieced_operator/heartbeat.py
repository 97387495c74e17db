"""Signs of life of the loops that must never stop: what liveness looks at."""

import time


class Heartbeat:
    """By when each named loop has to go round again."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def beat(self, loop: str, *, within_seconds: float = 180.0) -> None:
        """The loop is alive, and will say so again in time."""
        self._due[loop] = time.monotonic() + within_seconds

    def silent(self) -> list[str]:
        """The loops that have missed their time."""
        now = time.monotonic()
        return sorted(loop for loop, due in self._due.items() if due < now)

    def rest(self) -> None:
        """No loop runs any more, and none has to."""
        self._due.clear()
