"""Where a process is killed at each fault point: a point belongs to one test, which fails unless it is reached."""

from pathlib import Path
from typing import Final

from pieced_billing.faults import POINTS

CLAIMS: Final = {
    "test_invoice_run_parallel": ("run.",),
    "test_invoice_send": ("mail.",),
    "test_ledger_observe_faults": ("observe.", "together.", "missing."),
    "test_ledger_seal_published": ("seal.",),
    "test_operator_commands": ("release.",),
    "test_operator_faults": (
        *("observe.", "together.", "position.", "replay.", "unrecorded.", "sweep.", "reconcile.", "package."),
        *("catalogue.", "lease.", "cost.", "event.", "database.", "api."),
    ),
    "test_resume_requests": ("resume.",),
    "test_sealed_numbers": ("numbers.",),
    "test_store_upgrade_killed": ("upgrade.",),
    "test_usage_collect": ("collect.",),
}
"""The first parts of the names of the points that each test file in tests/integration kills a process at."""


def points_of(file: str) -> list[str]:
    """The points that a test file (its `__file__`) has claimed, in the order in which they are registered."""
    return [point for point in POINTS if point.startswith(CLAIMS[Path(file).stem])]
