"""Files that are named on the command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pieced_billing.errors import UsageError


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file to be read in the block, in which nothing is printed; `-` is standard input.

    Raises UsageError when it cannot be opened or read.
    """
    try:
        if name != "-":
            with _open(name) as file:
                yield file
        elif sys.stdin is None:
            raise UsageError("Standard input is closed; there is nothing to read.")
        else:
            yield sys.stdin.buffer
    except OSError as error:
        raise UsageError(f"{_shown(name)} cannot be read: {error.strerror}.") from None


def read_file(path: Path) -> tuple[bytes, str]:
    """The content of a file, and its name for messages; `-` is standard input."""
    with opened(str(path)) as file:
        return file.read(), _shown(str(path))


def _open(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except ValueError:
        raise UsageError(f"{name} cannot be read: not a file name.") from None


def _shown(name: str) -> str:
    return "standard input" if name == "-" else name
