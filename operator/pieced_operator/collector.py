"""Python's cyclic collector, set for a process that keeps much for long and makes few cycles.

Objects of the API server are trees and hold no cycles, and a page of them is a hundred thousand of Python's. With its
own thresholds (700, 10, 10) the collector took half of the processor time of a start.
"""

import gc


def collect_rarely() -> None:
    """While everything is listed: hardly anything of it is garbage."""
    gc.set_threshold(100_000, 20, 50)


def leave_alone_what_was_read() -> None:
    """Once everything was listed: it stays, and is never looked through again; what comes now, in short pauses."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
