"""What a command prints: a table for people, JSON or YAML for programs."""

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeAlias

import typer


class Format(StrEnum):
    """How a command prints its result."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Output: TypeAlias = Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")]


class Table(NamedTuple):
    """A result for people: names of columns and the texts of the cells."""

    columns: Sequence[str]
    rows: Iterable[Sequence[str]]
    right: frozenset[str] = frozenset()
    """Columns of numbers, aligned to the right."""


def show(document: Any, table: Table, output: Format) -> None:
    """Print a result once: `document` (made of dict, list, str, int, bool and None) or the same as a table."""
    if output is Format.JSON:
        import json  # noqa: PLC0415 - only what is asked for is loaded

        sys.stdout.buffer.write(json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")
    elif output is Format.YAML:
        import yaml  # noqa: PLC0415

        yaml.safe_dump(document, sys.stdout.buffer, encoding="utf-8", sort_keys=False, allow_unicode=True)
    else:
        _print_table(table)


def print_later_start(label: str, start: date | None) -> None:
    """Say on stderr that a value of a file that was to hold since ever holds from a day on (rules 7 and 9)."""
    print(f"pieced: {label} holds from {start} on, not since ever: the month before is finalised.", file=sys.stderr)


def _print_table(table: Table) -> None:
    """Print the table as wide as the terminal; unbroken where nobody looks at it."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in table.columns:
        drawn.add_column(column, justify="right" if column in table.right else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 10_000)
    console.print(drawn)
