"""The machine that a table was measured on."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """One sentence: processor, cores, memory, Python, and whether processors are shared out by session."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    cores = len(os.sched_getaffinity(0))
    python = platform.python_version() + (", with autogroup" if shares_by_session() else "")
    return f"Measured on {cores} cores ({cpu}), {memory / 2**20:.0f} GB of memory, Python {python}."


def shares_by_session() -> bool:
    """Whether Linux gives every session an equal share of the processors; one that mostly sleeps then gets it late."""
    return _lines("/proc/sys/kernel/sched_autogroup_enabled") == ["1"]


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
