"""Files that are named on the command line."""

import sys
from pathlib import Path

from pieced_billing.errors import UsageError


def read_file(path: Path) -> tuple[bytes, str]:
    """The content of a file, and its name for messages; `-` is standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
