"""A folder for each test process' servers, inside the project, where the account that runs PostgreSQL can reach it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pieced_local import places
from pieced_local.locks import Taken, file_lock

FOLDERS = places.PROJECT / ".cache" / "tests"


def temporary_folder() -> Path:
    """Where pytest makes the folders of single tests."""
    folder = FOLDERS / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def worker_folder() -> Iterator[Path]:
    """A folder of this process; removed afterwards, as are those of processes that were killed."""
    _clear_away_predecessors()
    folder = FOLDERS / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder.with_suffix(".lock")):
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
    folder.with_suffix(".lock").unlink()


def _clear_away_predecessors() -> None:
    for lock in FOLDERS.glob("*.lock"):
        try:
            with file_lock(lock, wait=False):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink(missing_ok=True)
        except Taken:
            continue
