"""The data folder of a server: made once, owned by the account that runs it, and cleared of what a crash left."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from pieced_local.errors import LocalError
from pieced_local.postgres.account import Account
from pieced_local.postgres.installation import Installation

STOP_SECONDS = 60


class InitialisationFailed(LocalError):
    """`initdb` failed; the sentence carries its complaint."""


def passwords(path: Path, roles: Iterable[str]) -> dict[str, str]:
    """The passwords kept at `path`, for its owner's eyes only; made the first time."""
    if not path.exists():
        made = {role: secrets.token_hex(24) for role in roles}
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made))
        draft.rename(path)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def initialise(installation: Installation, data: Path, runs_as: Account, superuser: str, password: str) -> None:
    """Make the data folder with one role, `superuser`; it appears when it is whole. Raises InitialisationFailed."""
    draft, password_file = data.with_suffix(".draft"), data.with_suffix(".password")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    runs_as.take(draft)
    runs_as.take(password_file)
    arguments = ["--pgdata", str(draft), "--username", superuser, "--pwfile", str(password_file)]
    arguments += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]
    made = subprocess.run(
        [*runs_as.prefix, *installation.command("initdb", *arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=installation.environment(),
        cwd="/",
        check=False,
        **runs_as.popen,
    )
    password_file.unlink()
    if made.returncode != 0:
        raise InitialisationFailed(f"initdb failed in {draft}: {made.stderr.strip() or made.stdout.strip()}")
    draft.rename(data)


def clear_away_predecessor(data: Path) -> None:
    """Stop a server that outlived its launcher, and remove the pid file of one that died.

    PostgreSQL itself refuses to start when the number in the pid file belongs to any other program by now.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    deadline = time.monotonic() + STOP_SECONDS
    while _serves(pid, data) and time.monotonic() < deadline:
        os.kill(pid, signal.SIGINT)
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    """Whether process `pid` is the server of `data`: a postmaster works in its data folder."""
    working_folder = Path(f"/proc/{pid}/cwd")
    try:
        return working_folder.readlink() == data.resolve()
    except OSError:  # gone, or somebody else's
        return False
