"""The API server's clock, as far as its answers tell: never the clock of the machine that we happen to run on."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import inf

_DRIFT = 1e-4  # seconds that two clocks may drift apart in a second, generously


class ApiClock:
    """Estimates the API server's time from the Date headers of its answers and our monotonic clock.

    An answer dated D, asked for at `sent` and read at `received`, was written in [D, D + 1 s): that bounds the offset
    between the two clocks, and many answers bound it to milliseconds. When our wall clock is set, nothing changes.
    """

    def __init__(self) -> None:
        self._earliest_offset = -inf
        self._latest_offset = inf
        self._learned_at = 0.0

    def learn(self, sent: float, received: float, date: str) -> None:
        """Narrow the estimate by one answer; `sent` and `received` are monotonic seconds, `date` the header's text."""
        dated = parsedate_to_datetime(date).timestamp()
        slack = (received - self._learned_at) * _DRIFT
        earliest = max(self._earliest_offset - slack, dated - received)
        latest = min(self._latest_offset + slack, dated + 1 - sent)
        if earliest > latest:  # the server's clock was set, or another server answers: begin again with this answer
            earliest, latest = dated - received, dated + 1 - sent
        self._earliest_offset, self._latest_offset, self._learned_at = earliest, latest, received

    def latest(self, monotonic: float) -> datetime:
        """The API server's time at a monotonic instant, or a little later: what is seen by then was written by then."""
        assert self._latest_offset < inf, "no answer of the API server has been seen yet"
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=monotonic + self._latest_offset)
