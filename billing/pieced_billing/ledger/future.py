"""The API server's clock held against the database's: what lies in the future is not believed. Pure.

Clocks are set wrong and right again. An instant of the future, once recorded, would push every later event of the
tenant behind it; a state that counts as confirmed until then would take the times of real switches away.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pieced_billing.errors import Refused
from pieced_billing.ledger.observation import Observation

AHEAD: Final = timedelta(minutes=5)
"""By how much two clocks may differ."""

_SECOND: Final = timedelta(seconds=1)


class FromTheFuture(Refused):
    """A version was written later than now; it can be recorded when that time has come."""

    code = "from_the_future"

    def __init__(self, seen: Observation, written_at: datetime) -> None:
        super().__init__(
            f"Tenant {seen.tenant} ({seen.uid}) was written at {written_at.isoformat()} by the API server's clock, "
            "which the database's has not reached by far: set the clock that is wrong."
        )


def believed(seen: Observation, now: datetime) -> Observation:
    """What to take for true of an observation at `now`, by the database's clock.

    Raises FromTheFuture for a version that bears an instant more than AHEAD in the future. Where only the answer was
    dated wrongly, its instants are brought in line: it came by now, no earlier than the version was written, and
    confirms nothing beyond that.
    """
    latest = now + AHEAD
    dated = max(filter(None, (seen.created_at, seen.written_at, seen.deleted_at)))
    if dated > latest:
        raise FromTheFuture(seen, dated)
    written_by = seen.written_at + _SECOND
    seen_at = min(seen.seen_at, latest) if seen.seen_at >= seen.written_at else written_by
    asked_at = seen.written_at if seen.asked_at is not None and seen.asked_at > latest else seen.asked_at
    return replace(seen, seen_at=seen_at, asked_at=asked_at)
