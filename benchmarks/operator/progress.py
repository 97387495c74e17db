"""What a measurement says while it runs: apart from the table, on standard error."""

import sys
import time


def say(text: str) -> None:
    """One line, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
