"""Changes that no test can notice, or need not: `explained.toml` says in one sentence why."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final


def _explained() -> Mapping[tuple[str, str, str], str]:
    entries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["survivor"]
    return {(entry["file"], entry["line"], instead): entry["why"] for entry in entries for instead in entry["instead"]}


EXPLAINED: Final = _explained()
"""Why nothing notices, by file, line and changed line."""
