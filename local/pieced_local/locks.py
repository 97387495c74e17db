"""Locks between processes, and folders that appear whole or not at all. Standard library only."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Taken(Exception):
    """Somebody else holds the lock."""


@contextmanager
def file_lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path`; it is free again when this process ends, however it ends.

    Raises Taken when it is held and `wait` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken from None
        yield


@contextmanager
def published(folder: Path) -> Iterator[Path | None]:
    """Make `folder` once: yields a draft that becomes `folder` when the block ends well, or None when it is there.

    Whoever comes second waits for the first, in whichever checkout it runs.
    """
    with file_lock(folder.with_name(f"{folder.name}.lock")):
        if folder.exists():
            yield None
            return
        draft = folder.with_name(f"{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # what somebody left who was killed
        draft.mkdir(parents=True)
        try:
            yield draft
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
