"""Under which account a PostgreSQL server runs: it refuses to be root."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pieced_local.errors import LocalError

NOBODY = 65534


class CannotRun(LocalError):
    """No account on this machine can run the server."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to start a program under another account: what goes before its command line, and arguments of Popen."""

    prefix: tuple[str, ...] = ()
    popen: Mapping[str, Any] = field(default_factory=dict)

    def take(self, folder: Path) -> None:
        """Make `folder` its own."""
        if "user" in self.popen:
            os.chown(folder, self.popen["user"], self.popen["group"])


def choose(program: Path, data: Path) -> Account:
    """The account that can read `program` and owns, or will own, the folder `data`. Raises CannotRun.

    A normal user runs the server itself. Root gives it to whoever owns the data, to `nobody` where that account reaches
    both folders, and else to itself under another number, in a user namespace.
    """
    if os.geteuid() != 0:
        return Account()
    if data.exists() and data.stat().st_uid != 0:
        return _other_user(data.stat().st_uid, data.stat().st_gid)
    if not data.exists() and _reaches(NOBODY, program, data.parent):
        return _other_user(NOBODY, NOBODY)
    if (
        shutil.which("unshare")
        and subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    ):
        return Account(prefix=_NAMESPACE)
    raise CannotRun(
        f"PostgreSQL does not run as root, and the account nobody cannot reach {data.parent}: "
        "move the project to a folder that others may enter, run this as a normal user, or set DATABASE_URL."
    )


_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


def _other_user(user: int, group: int) -> Account:
    return Account(popen={"user": user, "group": group, "extra_groups": []})


def _reaches(user: int, program: Path, folder: Path) -> bool:
    command = ["test", "-x", str(program), "-a", "-x", str(folder)]
    return subprocess.run(command, user=user, group=user, extra_groups=[], check=False).returncode == 0
