"""How the story looks on a terminal: headings, the commands that are run, what they print, the ledger's rows."""

import shlex
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pieced_local.demo.ledger import Event

ZONE = ZoneInfo("Europe/Zurich")
KIND_STYLES = {
    "created": "green",
    "enabled": "green",
    "resumed": "green",
    "disabled": "yellow",
    "suspended": "yellow",
    "deleted": "red",
}


class Telling:
    """Prints the story to one console, its chapters numbered."""

    def __init__(self, console: Console) -> None:
        """Tell it on `console`."""
        self._console = console
        self._chapter = 0

    def chapter(self, title: str) -> None:
        """Begin a new part of the story."""
        self._chapter += 1
        self._console.print()
        self._console.rule(f"[bold cyan]{self._chapter}[/]  [bold]{title}[/]", align="left", style="cyan")

    def says(self, text: str) -> None:
        """A sentence of the story."""
        self._console.print(text, style="dim")

    def runs(self, program: str, arguments: Iterable[str]) -> None:
        """A command line, as one would type it."""
        self._console.print(Text(f"$ {shlex.join([program, *arguments])}", style="bold"), soft_wrap=True)

    def shows(self, output: str) -> None:
        """What a command printed."""
        self._console.print(Text(output.rstrip()), soft_wrap=True)

    def events(self, events: Iterable[Event], since: datetime) -> None:
        """Rows of the ledger, and how long after `since` each was there."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
        for column in ("tenant", "event", "package", "occurred at", "between", "quality", "source"):
            table.add_column(column, no_wrap=True)
        table.add_column("in the ledger after", justify="right", no_wrap=True)
        for event in events:
            table.add_row(
                event.tenant,
                Text(event.kind, style=KIND_STYLES[event.kind]),
                event.package or "",
                _local(event.occurred_at),
                _bounds(event),
                event.quality,
                event.source,
                f"{(event.recorded_at - since).total_seconds():.2f} s",
            )
        self._console.print(table)


def _bounds(event: Event) -> str:
    if event.not_before is None and event.not_after is None:
        return ""
    lower, upper = (_clock(instant) if instant else "…" for instant in (event.not_before, event.not_after))
    return f"{lower} – {upper}"


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(ZONE):%Y-%m-%d} {_clock(instant)}"


def _clock(instant: datetime) -> str:
    local = instant.astimezone(ZONE)
    return f"{local:%H:%M:%S}" + (f".{local.microsecond // 1000:03d}" if local.microsecond else "")
