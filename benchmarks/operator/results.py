"""The figures that were measured: kept part by part, and shown as one table, a column for each program and size."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks.machine import machine
from benchmarks.operator.programs import PROGRAMS
from benchmarks.report import put_into, table
from pieced_local import places

PAGE = Path("docs/performance.md")
KEPT = places.PROJECT / ".cache" / "bench-operator" / "figures.json"

Column: TypeAlias = tuple[str, int]
"""A program's name and a number of tenants."""
Figures: TypeAlias = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the table: which figure, what it is, how it is written and what is to be reached."""

    figure: str
    meaning: str
    form: str
    to_reach: str = ""


ROWS = (
    Row("cold_seconds", "cold start: all created tenants as wanted and recorded", "{:.1f} s"),
    Row("cold_cpu_ms_per_tenant", "… processor time per tenant", "{:.1f} ms"),
    Row("cold_writes_per_tenant", "… writes to the API server per tenant", "{:.1f}"),
    Row("cold_mb", "… memory after it", "{:.0f} MB", "400 MB"),
    Row("restart_seconds", "restart on unchanged objects", "{:.1f} s", "20 s"),
    Row("restart_writes", "… its writes to the API server", "{:.0f}", "0"),
    Row("restart_cpu_seconds", "… processor time", "{:.1f} s"),
    Row("empty_mb", "memory without tenants", "{:.0f} MB"),
    Row("restart_mb", "memory after restart", "{:.0f} MB", "400 MB"),
    Row("kb_per_tenant", "… of it per tenant", "{:.0f} KB"),
    Row("sweep_seconds", "sweep: all tenants listed, compared and confirmed", "{:.1f} s"),
    Row("sweep_cpu_seconds", "… processor time", "{:.1f} s"),
    Row("rest_cpu_percent", "processor time at rest, of one core", "{:.0f} %"),
    Row("changes", "changes made, at 50 a second", "{:.0f}"),
    Row("changes_p50_ms", "… API server's answer to committed event, p50", "{:.0f} ms"),
    Row("changes_p99_ms", "… p99", "{:.0f} ms", "500 ms"),
    Row("changes_longest_ms", "… longest", "{:.0f} ms"),
    Row("changes_without_event", "… changes without an event of their own", "{:.0f}", "0"),
    Row("changes_cpu_ms", "… processor time per change", "{:.1f} ms"),
    Row("changes_requests", "… requests to the API server per change", "{:.1f}"),
    Row("changes_writes", "… of them writes, by the audit log", "{:.1f}"),
    Row("changes_mb", "memory after the changes", "{:.0f} MB", "400 MB"),
    Row("toggles_a_second", "1,000 toggles of one tenant, made a second", "{:.0f}"),
    Row("toggles_p99_ms", "… API server's answer to committed event, p99", "{:.0f} ms"),
    Row("toggles_caught_up_seconds", "… caught up after the last", "{:.1f} s"),
    Row("toggles_without_event", "… toggles without an event of their own", "{:.0f}", "0"),
    Row("toggles_cpu_ms", "… processor time per toggle", "{:.1f} ms"),
    Row("toggles_writes", "… writes to the API server per toggle", "{:.1f}"),
    Row("outage_seconds", "Postgres away, with 50 changes a second", "{:.0f} s"),
    Row("outage_changes", "… changes made meanwhile", "{:.0f}"),
    Row("outage_caught_up_seconds", "… all recorded once it is back", "{:.1f} s", "30 s"),
    Row("outage_without_event", "… changes without an event of their own", "{:.0f}", "0"),
    Row("outage_mb", "memory at the end of the outage", "{:.0f} MB", "400 MB"),
    Row("peak_mb", "most memory at any time", "{:.0f} MB"),
)


def keep(column: Column, figures: Figures) -> None:
    """Add figures to those that are kept."""
    kept = _kept()
    found = kept.setdefault(_key(column), {})
    found.update(figures)
    if "restart_mb" in found and "empty_mb" in found:
        found["kb_per_tenant"] = (found["restart_mb"] - found["empty_mb"]) * 1024 / column[1]
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1))


def render(columns: Iterable[Column]) -> str:
    """The table of these columns; what was never measured is a dash."""
    kept, columns = _kept(), list(columns)
    found = [kept.get(_key(column), {}) for column in columns]
    rows = [
        [row.meaning, *(row.form.format(one[row.figure]) if row.figure in one else "—" for one in found), row.to_reach]
        for row in ROWS
        if any(row.figure in one for one in found)
    ]
    return table(["", *map(_heading, columns), "to reach at 10,000"], rows)


def write() -> None:
    """Put all that is kept into the page: Pieced by size, and next to the other programs where those were measured."""
    measured = {(program, int(tenants)) for program, _, tenants in (key.partition(" ") for key in _kept())}
    ours = [("pieced", size) for program, size in sorted(measured) if program == "pieced"]
    compared = sorted({size for program, size in measured if program != "pieced"})
    next_to_each_other = [(program, size) for size in compared for program in PROGRAMS if (program, size) in measured]
    for mark, columns in (("bench-operator", ours), ("bench-operator-peers", next_to_each_other)):
        if columns:
            put_into(PAGE, mark, f"{render(columns)}\n\n{machine()}")


def _heading(column: Column) -> str:
    program, tenants = column
    return f"{PROGRAMS[program].title}, {tenants:,} tenants"


def _key(column: Column) -> str:
    return f"{column[0]} {column[1]}"


def _kept() -> dict[str, Figures]:
    found: dict[str, Figures] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return found
