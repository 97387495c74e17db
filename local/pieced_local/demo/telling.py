"""How the story looks on a terminal: headings, the commands that are run, what they print, the ledger's rows."""

import shlex
from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pieced_local.demo.ledger import Event
from pieced_local.zone import ZONE

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
        """Rows of the ledger, and how long after `since` each was recorded."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
        for column in ("tenant", "event", "occurred at", "known", "source"):
            table.add_column(column, no_wrap=True)
        table.add_column("took", justify="right", no_wrap=True)
        for event in events:
            table.add_row(
                event.tenant,
                Text.assemble((event.kind, KIND_STYLES[event.kind]), f" {event.package}" if event.package else ""),
                _clock(event.occurred_at),
                _knowledge(event),
                event.source,
                f"{(event.recorded_at - since).total_seconds():.2f} s",
            )
        self._console.print()
        self._console.print(table)
        self._console.print()


def console() -> Console:
    """Where the story is told: the terminal, or as wide as its tables are where nobody looks."""
    told = Console(highlight=False)
    return told if told.is_terminal else Console(highlight=False, width=100)


def _knowledge(event: Event) -> str:
    """How well the instant is known: `exact`, or the two instants between which it lies."""
    if event.quality == "exact":
        return event.quality
    lower, upper = bounds(event)
    return f"{lower} – {upper}"


def bounds(event: Event) -> tuple[str, str]:
    """The two instants between which it lies, as one reads them."""
    lower, upper = (_clock(instant) if instant else "…" for instant in (event.not_before, event.not_after))
    return lower, upper


def _clock(instant: datetime) -> str:
    """The local time, with milliseconds where they are known: the API server's own times are whole seconds."""
    local = instant.astimezone(ZONE)
    milliseconds = local.microsecond // 1000
    return f"{local:%H:%M:%S}" + (f".{milliseconds:03d}" if milliseconds else "")
