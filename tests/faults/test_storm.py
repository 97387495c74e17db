"""The short form of the storm: the quick kinds of faults, once each. `make test-faults` runs the long one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import faults
from tests.faults.storm import storm
from tests.faults.world import World, world

SEED = 4
KINDS = (
    faults.watch_cut,
    faults.commits_unanswered,
    faults.operator_killed,
    faults.history_gone,
    faults.database_killed_in_commit,
    faults.operator_killed,
    faults.lists_stale,
    faults.database_unreachable,
    faults.api_server_restarted,
)


@pytest.fixture
def stormy(worker_state: Path) -> Iterator[World]:
    folder = worker_state / "storm"
    folder.mkdir()
    with world(folder) as made:
        yield made


@pytest.mark.timeout(900)  # a minute on a quiet machine; each fault is awaited, however slow the machine
def test_nothing_is_lost_and_nothing_doubled_whatever_fails(stormy: World, tmp_path: Path) -> None:
    outcome = storm(stormy, SEED, iter(KINDS), rate=10, evidence=tmp_path)
    assert outcome.differences == []
    assert outcome.unnoticed == []
    assert outcome.sabotages > 100
    assert outcome.operations > 100
