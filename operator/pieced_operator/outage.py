"""Since when the ledger's database has not answered."""

import time


class Outage:
    """Begins with the process: until it has answered once, the database is away."""

    def __init__(self) -> None:
        self._began_at: float | None = time.monotonic()

    def began(self) -> None:
        """It did not answer."""
        if self._began_at is None:
            self._began_at = time.monotonic()

    def ended(self) -> None:
        """It answered."""
        self._began_at = None

    def lasts(self, seconds: float) -> bool:
        """Whether it has not answered for longer than this."""
        return self._began_at is not None and time.monotonic() - self._began_at > seconds
