"""Standard output as a process gets it: closed, full, gone, or of an encoding that lacks our characters."""

import errno
import io
import os
import sys
from typing import Final

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))


def prepare_output() -> None:
    """Let no character fail: one that the encoding of standard output lacks is written as its code point.

    That is for tables; JSON and YAML are bytes of UTF-8 whatever the encoding. A closed output takes and shows nothing.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - standard output is open to the end
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(errors="backslashreplace")


def cannot_be_written(error: OSError) -> bool:
    """Whether an error means that standard output takes no more; commands write to nothing else."""
    return error.errno in _FULL


def drop_output() -> None:
    """Lose what is still buffered for a standard output that failed, lest it fail again at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
