"""Fixtures of tests against a real API server, and real processes of Pieced."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pieced_local import cluster as local_cluster
from tests import commands
from tests.clusters import Cluster


@pytest.fixture(scope="session")
def cluster(worker_state: Path) -> Iterator[Cluster]:
    """A control plane for this worker that knows our kinds and the operator's rights."""
    folder = worker_state / "cluster"
    with local_cluster.running(folder, audit_log=folder / "audit.log") as running:
        running.apply_kinds_and_rights()
        yield running


@pytest.fixture(scope="session")
def run_pieced() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `pieced ARGUMENTS` as a process: see tests/commands.py."""
    return commands.run_pieced
