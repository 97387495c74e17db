"""Our launcher of PostgreSQL: what it starts, and what it survives."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pieced_local.postgres import installation, server
from tests.databases import Database
from tests.processes import await_none_left, processes_with

LAUNCHER = """
import sys
from pathlib import Path
from pieced_local.postgres import installation, server
with server.running(installation.embedded(), Path(sys.argv[1]), server.FAST_AND_LOSSY) as running:
    print(running.url("postgres", "postgres"), flush=True)
    sys.stdin.read()
"""


@pytest.mark.both_servers
def test_the_two_roles_reach_a_new_database(empty_database: Database) -> None:
    for url, role in [(empty_database.url, "pieced_app"), (empty_database.owner_url, "pieced_owner")]:
        with psycopg.connect(url) as connection:
            answer = connection.execute("SELECT current_user, current_database()").fetchone()
            assert answer == (role, empty_database.name)


def test_data_and_passwords_outlive_the_server(worker_state: Path) -> None:
    folder = worker_state / "restarted"
    with server.running(installation.embedded(), folder, server.DURABLE) as first:
        first.create_database("kept")
    with server.running(installation.embedded(), folder, server.DURABLE) as second:
        assert second.has_database("kept")
        assert second.passwords == first.passwords


def test_passwords_are_for_their_owner_only(worker_state: Path) -> None:
    folder = worker_state / "secret"
    with server.running(installation.embedded(), folder, server.FAST_AND_LOSSY) as running:
        kept = folder / "passwords.json"
        assert kept.stat().st_mode & 0o077 == 0
        assert len(set(json.loads(kept.read_text()).values())) == 3
        wrong = running.url("pieced_app", "postgres").replace(running.passwords["pieced_app"], "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_it_dies_with_a_launcher_that_is_killed(worker_state: Path) -> None:
    folder = worker_state / "orphaned"
    with _launched(folder) as launcher:
        launcher.kill()
    await_none_left("LAUNCHED_IN", folder)


def test_a_pid_file_of_a_server_that_was_killed_is_in_nobodys_way(worker_state: Path) -> None:
    folder = worker_state / "crashed"
    with _launched(folder) as launcher:
        for process in processes_with("LAUNCHED_IN", folder) - {launcher.pid}:
            subprocess.run(["kill", "-KILL", str(process)], check=False)
    pid_file = folder / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    assert lines, "a killed server leaves its pid file"
    pid_file.write_text("\n".join(["1", *lines[1:]]))  # the number belongs to another program by now
    with server.running(installation.embedded(), folder, server.FAST_AND_LOSSY) as again:
        assert again.has_database("postgres")


def _launched(folder: Path) -> subprocess.Popen[str]:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"LAUNCHED_IN": str(folder), "PATH": "/usr/bin:/bin"},
    )
    assert launcher.stdout is not None
    assert launcher.stdout.readline().startswith("postgresql://"), "it started"
    return launcher
