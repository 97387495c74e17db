"""Signs of life of the loops that must never stop: what liveness looks at."""

import asyncio
import time
from typing import Final, TypeVar

Answer = TypeVar("Answer")

_WITHIN_SECONDS: Final = 180.0
_WAITING_SECONDS: Final = 30.0


class Heartbeat:
    """By when each named loop has to go round again."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def beat(self, loop: str, *, within_seconds: float = _WITHIN_SECONDS) -> None:
        """The loop is alive, and will say so again in time."""
        self._due[loop] = time.monotonic() + within_seconds

    async def while_waiting(self, loop: str, answer: "asyncio.Future[Answer]") -> Answer:
        """Wait for the ledger's database, which may be silent for hours: the loop is alive all that time."""
        try:
            while not (await asyncio.wait({answer}, timeout=_WAITING_SECONDS))[0]:
                self._due[loop] = max(self._due.get(loop, 0.0), time.monotonic() + _WITHIN_SECONDS)
            return answer.result()
        finally:
            answer.cancel()

    def silent(self) -> list[str]:
        """The loops that have missed their time."""
        now = time.monotonic()
        return sorted(loop for loop, due in self._due.items() if due < now)

    def rest(self) -> None:
        """No loop runs any more, and none has to."""
        self._due.clear()
