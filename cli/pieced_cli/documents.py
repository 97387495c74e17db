"""How many bills are printed for programs."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from pieced_cli.output import Format

_WRITTEN_AT_ONCE: Final = 1 << 20


def print_documents(documents: Iterable[Mapping[str, Any]], output: Format) -> None:
    """Print documents as they come, however many: JSON one on a line, YAML one after the other."""
    if output is Format.YAML:
        import yaml  # noqa: PLC0415 - only what is asked for is loaded

        out = sys.stdout.buffer
        yaml.safe_dump_all(documents, out, encoding="utf-8", sort_keys=False, allow_unicode=True, explicit_start=True)
        return
    with open(sys.stdout.fileno(), "wb", buffering=_WRITTEN_AT_ONCE, closefd=False) as buffered:
        buffered.writelines(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE) for document in documents)
