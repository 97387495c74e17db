"""An upgrade of the tables by a process that is killed on its way."""

import signal
from pathlib import Path

import psycopg

from pieced_billing.store import revisions
from tests.commands import run_pieced
from tests.databases import Database
from tests.fault_points import points_of


def killed(database: Database, fault: str, log: Path) -> bool:
    """Run an upgrade that is to die at a point; whether it got there."""
    environment = database.env() | {"PIECED_FAULT": fault, "PIECED_FAULT_LOG": str(log)}
    done = run_pieced("db", "upgrade", env=environment, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    assert (done.returncode != 0) == log.exists()
    log.unlink(missing_ok=True)
    return done.returncode != 0


def tables(owner: psycopg.Connection) -> int:
    """How many tables there are."""
    found = owner.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchone()
    assert found is not None
    return int(found[0])


def test_killed_at_any_point_it_is_done_or_not_begun(empty_database: Database, tmp_path: Path) -> None:
    with psycopg.connect(empty_database.owner_url, autocommit=True) as owner:
        for point in points_of(__file__):
            assert killed(empty_database, point, tmp_path / point), f"{point} is never reached"
            assert bool(tables(owner)) == (point == "upgrade.after_commit")
        assert revisions.current(owner) == revisions.head()
        assert not killed(empty_database, "upgrade.after_statement", tmp_path / "died")


def test_killed_after_few_or_many_statements_it_leaves_the_old_or_the_new_tables(
    empty_database: Database, tmp_path: Path
) -> None:
    """After 1, 2, 4, … of them: a statement that were committed by itself would be seen at every later death too."""
    log, deaths = tmp_path / "died", 0
    with psycopg.connect(empty_database.owner_url, autocommit=True) as owner:
        while killed(empty_database, f"upgrade.after_statement:{2**deaths}", log):
            deaths += 1
            assert tables(owner) == 0
        assert deaths >= 5
        assert revisions.current(owner) == revisions.head()
