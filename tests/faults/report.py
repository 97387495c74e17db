"""The page of the soak runs: a row for each, and their sum."""

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import put_into, table
from tests.faults.storm import Outcome

MARK = "soak"
HEADER = ("run", "seed", "operations", "faults", "restarts", "events", "differences")


def add_to_page(page: Path, outcome: Outcome) -> None:
    """Add a run to those that the page has between its markers."""
    counts = (outcome.operations, outcome.faults.total(), outcome.restarts, outcome.events, len(outcome.differences))
    row = (datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), str(outcome.seed), *(f"{count:,}" for count in counts))
    rows = [*_rows(page), row]
    sums = [sum(int(one[column].replace(",", "")) for one in rows) for column in range(2, len(HEADER))]
    total = ("in all", "", *(f"{count:,}" for count in sums))
    put_into(page, MARK, table(HEADER, [*rows, total]))


def _rows(page: Path) -> list[tuple[str, ...]]:
    """The runs that the page has already."""
    between = page.read_text().partition(f"<!-- {MARK} -->")[2].partition(f"<!-- /{MARK} -->")[0]
    lines = [line for line in between.splitlines() if line.startswith("| 2")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
