"""The table of docs/performance.md: a row for each stage and size."""

from collections.abc import Mapping, Sequence

from benchmarks.billing.stages import Measured, Month
from benchmarks.report import table

_HEADER = ("stage", "tenants", "time", "rate", "own CPU", "database's CPU", "memory of a process", "to reach")
_TO_REACH = {
    "import of events": "50,000 events/s",
    "import of usage": "100,000 records/s",
    "drafts": "10 s for 100,000 tenants",
    "run": "12 s for 100,000 tenants",
    "run, one tenant each": "15 s for 100,000 tenants",
    "documents": "60 PDFs/s",
    "documents, one tenant each": "60 PDFs/s",
    "documents, payment part alone": "150 PDFs/s",
}
_SINGLE_TO_REACH = "p99 below 15 ms"


def render(months: Sequence[Month], of_one_tenant: Mapping[tuple[str, str], Month]) -> str:
    """The table, and below it what one draft takes; a stage of organisations with one tenant each has another name."""
    measured = [one for month in months for one in month.measured]
    stages = list(dict.fromkeys(one.stage for one in measured))
    rows = [_row(one.stage, one) for stage in stages for one in measured if one.stage == stage]
    rows += [
        _row(name, one)
        for (stage, name), month in of_one_tenant.items()
        for one in month.measured
        if one.stage == stage
    ]
    rows += [_single(month) for month in months if month.single_drafts]
    return table(_HEADER, rows)


def _row(stage: str, one: Measured) -> tuple[str, ...]:
    cost = one.cost
    return (
        stage,
        f"{one.tenants:,}",
        f"{cost.wall:.1f} s",
        f"{one.count / cost.wall:,.0f} {one.things}/s",
        f"{cost.client_cpu:.1f} s" if cost.client_cpu else "—",
        f"{cost.server_cpu:.1f} s",
        f"{cost.peak_memory:.0f} MB" if cost.peak_memory else "—",
        _TO_REACH.get(stage, ""),
    )


def _single(month: Month) -> tuple[str, ...]:
    durations = month.single_drafts
    middle, late = durations[len(durations) // 2], durations[len(durations) * 99 // 100]
    text = f"p50 {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms"
    return ("draft of one organisation", f"{month.tenants:,}", text, "—", "—", "—", "—", _SINGLE_TO_REACH)
