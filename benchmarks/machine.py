"""The machine that a table was measured on."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """One sentence: processor, cores, memory, Python."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    cores = len(os.sched_getaffinity(0))
    return f"Measured on {cores} cores ({cpu}), {memory / 2**20:.0f} GB of memory, Python {platform.python_version()}."


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
