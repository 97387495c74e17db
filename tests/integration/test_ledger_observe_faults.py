"""A process that is killed at any point of what it tells the ledger, and started again."""

import os
import signal
from pathlib import Path

import pytest

from pieced_billing.store.connections import connect
from tests.chained import verified
from tests.databases import Database
from tests.fault_points import points_of
from tests.forked import run_forked
from tests.observations import kinds, recorded

LIFE = """
import os, sys
sys.path[0] = os.getcwd()
from dataclasses import replace
from datetime import timedelta
from pieced_billing.ledger.observe import observe, observe_missing
from pieced_billing.ledger.observe_together import observe_together
from pieced_billing.store.connections import connect
from tests.observations import NINE, first_version, next_version

made = first_version(packages=frozenset({"a", "b"}))
suspended = next_version(made, suspended=True)
ended = next_version(suspended, suspended=False, deleted_at=suspended.written_at + timedelta(minutes=1))
with connect(sys.argv[1]) as connection:
    for version in (made, suspended, first_version(), ended):
        observe(connection, version, lambda: suspended)
    ten = NINE + timedelta(hours=1)
    for name in ("a", "b", "c"):
        first = first_version(name, name)
        observe(connection, first)
        observe_together(connection, [[replace(first, asked_at=ten, seen_at=ten), next_version(first, suspended=True)]])
        observe_missing(connection, name, NINE + timedelta(hours=2), "sweep")
"""


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", points_of(__file__))
def test_a_process_that_dies_anywhere_and_starts_again_loses_and_doubles_nothing(
    database: Database, tmp_path: Path, point: str, nth: int
) -> None:
    log, program = tmp_path / "died", tmp_path / "life.py"
    program.write_text(LIFE)
    command = [str(program), database.url]
    died = run_forked(command, os.environ | {"PIECED_FAULT": f"{point}:{nth}", "PIECED_FAULT_LOG": str(log)})
    once = "fetch_again" in point  # there is one stale version only in this life
    if once and nth > 1:
        assert died.returncode == 0
    else:
        assert died.returncode == -signal.SIGKILL
        assert log.read_text() == f"{point}\n"
    lived = run_forked(command, os.environ)
    assert lived.returncode == 0, lived.stderr
    with connect(database.url) as connection:
        assert kinds(connection) == ["created", "enabled", "enabled", "suspended", "resumed", "deleted"]
        assert len({event[3] for event in recorded(connection)}) == 6
        for name in ("a", "b", "c"):
            assert kinds(connection, name) == ["created", "suspended", "deleted"]
    assert verified(database).found == 0
