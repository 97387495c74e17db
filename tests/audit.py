"""The API server's audit log: the independent witness of who wrote what, when."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATOR = "pieced-operator"


def entries(log: Path, start: int = 0) -> Iterator[dict[str, Any]]:
    """The completed requests from a byte offset on, in the order of the log."""
    with log.open("rb") as file:
        file.seek(start)
        for line in file:
            if line.endswith(b"\n"):
                entry: dict[str, Any] = json.loads(line)
                if entry["stage"] == "ResponseComplete":
                    yield entry


def writes_of_the_operator(log: Path, start: int = 0) -> list[str]:
    """What the operator wrote, as `verb resource/name`; renewals of its Lease do not count."""
    return [
        f"{entry['verb']} {entry['objectRef']['resource']}/{entry['objectRef'].get('name', '')}"
        for entry in entries(log, start)
        if entry["user"]["username"] == OPERATOR
        and entry["verb"] not in ("get", "list", "watch")
        and entry["objectRef"]["resource"] != "leases"
    ]
