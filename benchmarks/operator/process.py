"""A running operator, seen from outside: what its metrics say, the memory and the processor time that it takes."""

import os
import signal
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Metrics: TypeAlias = dict[str, float]
"""`name` and `name{labels}`, the former the sum of the latter."""


@dataclass(frozen=True)
class Process:
    """One operator process."""

    popen: subprocess.Popen[bytes]
    port: int

    def metrics(self) -> Metrics:
        """Its metrics; empty while it does not answer."""
        assert self.popen.poll() is None, "the operator ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        found: Metrics = {}
        for line in lines:
            if not line.startswith("#"):
                key, _, value = line.rpartition(" ")
                name = key.partition("{")[0]
                found[key] = float(value)
                if name != key:
                    found[name] = found.get(name, 0) + float(value)
        return found

    def memory_mb(self) -> float:
        """Resident memory now."""
        return self._memory("VmRSS")

    def peak_memory_mb(self) -> float:
        """The most resident memory since its start."""
        return self._memory("VmHWM")

    def cpu_seconds(self) -> float:
        """Processor time used since its start."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it by SIGTERM and wait."""
        self.popen.send_signal(signal.SIGTERM)
        assert self.popen.wait(60) == 0, "the operator did not end well"

    def _memory(self, name: str) -> float:
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) / 1024
