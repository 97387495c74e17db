"""Signs of life of the loops that must never stop: what liveness looks at."""

import time
from typing import Final

_SILENCE_SECONDS: Final = 180.0


class Heartbeat:
    """When each named loop last went round."""

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """The loop is alive."""
        self._beats[loop] = time.monotonic()

    def silent(self) -> list[str]:
        """The loops that have not gone round for too long."""
        now = time.monotonic()
        return sorted(loop for loop, at in self._beats.items() if now - at > _SILENCE_SECONDS)
