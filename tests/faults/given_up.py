"""What the operator itself says that it cannot know: a replay that it gave up, on a machine that is too slow for it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tests.faults.timeline import Window

SAYS: Final = (
    "starting without a position: the ledger's database does not answer",
    "changes before the start are not replayed",
    "changes during the start may be unseen",
)


def given_up(log: Path, starts: Sequence[tuple[datetime, datetime]]) -> Iterator[Window]:
    """The windows in which it may have missed something, by its log.

    `starts` are its starts, in order: when, and from when on it had to be told what went on.
    """
    for line in log.read_text().splitlines():
        if any(one in line for one in SAYS):
            entry = json.loads(line)
            said_at = datetime.fromisoformat(entry["timestamp"])
            before = [since for started_at, since in starts if started_at <= said_at]
            if before:  # before its first start there was nothing to miss
                yield Window(before[-1], said_at + timedelta(seconds=1), entry["event"])
