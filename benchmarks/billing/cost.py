"""What a command costs: time, its own processor time and memory, and the database's processor time."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Durations in seconds, memory of one process in MB. What a command did not compute itself, it waited for."""

    wall: float
    client_cpu: float
    server_cpu: float
    peak_memory: float


def cost_of(command: list[str], env: Mapping[str, str], postmaster: int) -> Cost:
    """Run a command to its good end, its output thrown away, and measure it."""
    server_before = cpu_of_server(postmaster)
    began_at = time.monotonic()
    child = subprocess.Popen(command, env=dict(env), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - began_at
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    server_cpu = cpu_of_server(postmaster) - server_before
    return Cost(wall, used.ru_utime + used.ru_stime, server_cpu, used.ru_maxrss / 1024)


def cpu_of_server(postmaster: int) -> float:
    """Processor time so far of a PostgreSQL server: of its processes that ended, and of those that live."""
    total = 0.0
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (str(postmaster), *children):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:  # it ended meanwhile; the postmaster counts it from now on
            continue
        total += sum(int(ticks) for ticks in fields[11:15]) / _TICKS
    return total
