"""How an explanation is printed for people: a grid of the month, then line by line what each comes from."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pieced_billing.calendar import Month
from pieced_cli.bill import TITLES

_EVENT_COLUMNS: Final = (
    *("seq", "kind", "package", "at", "not_before", "not_after"),
    *("quality", "source", "generation", "manager"),
)


def print_explanation(document: Mapping[str, Any]) -> None:
    """Print the explanation of one tenant UID."""
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    until = "" if document["as_of"] is None else f" until {document['as_of']}"
    console.print(Text(f"{document['tenant']}, {document['period']}{until}: CHF {document['net']} without VAT", "bold"))
    console.print(Text(f"uid {document['uid']}, organisation {document['org']}"))
    console.print()
    for row in _grid(document):
        console.print(Text(row))
    for line in document["lines"]:
        console.print()
        for row in _line(line):
            console.print(Text(row))
    _print_events(console, document["lines"])
    for warning in document["warnings"]:
        console.print(Text(f"Warning {warning['code']}: {warning['text']}", style="yellow"))
    console.print()


def _grid(document: Mapping[str, Any]) -> Iterator[str]:
    """The days of the month as columns: a block where the tenant was active, and each package billable."""
    days = [day.isoformat() for day in Month.parse(document["period"]).dates]
    rows: dict[str, Sequence[str]] = {"active": document["active"], **document["billable"]}
    width = max(map(len, rows)) + 2
    yield " " * width + "".join(str(number // 10) if number % 10 == 0 else " " for number in range(1, len(days) + 1))
    yield " " * width + "".join(str(number % 10) for number in range(1, len(days) + 1))
    for name, counted in rows.items():
        yield name.ljust(width) + "".join("█" if day in counted else "·" for day in days)


def _line(line: Mapping[str, Any]) -> Iterator[str]:
    title = TITLES.get(line["kind"], line["kind"])
    name = f"{title}: {line['package']}" if line["package"] else title
    formula = "" if line["unit"] == "once" else f" = {line['formula']}"
    yield f"{name}   CHF {line['amount']}{formula}"
    yield f"  days     {', '.join(_runs(line['days']))}"
    if line["price"] is not None:
        yield f"  price    {line['price']['value']} {_in_force(line['price'])}"
    version = line["vat"]["version"]
    in_force = "" if version is None else f" {_in_force(version)}"
    yield f"  VAT      {line['vat_rate']} %, {line['vat']['posture'].replace('_', ' ')}{in_force}"
    for of in line["usage"]:
        records = "1 record" if of["records"] == 1 else f"{of['records']} records"
        yield f"  usage    {of['quantity']} on {of['on']}, {records} of {of['source']}"
    if line["events"]:
        yield f"  events   {', '.join(str(event['seq']) for event in line['events'])}"


def _in_force(version: Mapping[str, Any]) -> str:
    start = "since ever" if version["valid_from"] is None else f"from {version['valid_from']} on"
    return f"{start}, recorded on {version['recorded_at'][:10]} by {version['recorded_by']}"


def _runs(days: Iterable[str]) -> Iterator[str]:
    """Days of one month, those that follow each other as `2026-03-01 – 09`."""
    numbered = enumerate(days)
    for _, run in groupby(numbered, key=lambda pair: int(pair[1][8:]) - pair[0]):
        together = [day for _, day in run]
        yield together[0] if len(together) == 1 else f"{together[0]} – {together[-1][8:]}"


def _print_events(console: Console, lines: Iterable[Mapping[str, Any]]) -> None:
    """The events of all lines, each once."""
    events = {event["seq"]: event for line in lines for event in line["events"]}
    if not events:
        return
    console.print()
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in _EVENT_COLUMNS:
        drawn.add_column(column, justify="right" if column in ("seq", "generation") else "left", overflow="fold")
    for event in sorted(events.values(), key=lambda event: (event["at"], event["seq"])):
        drawn.add_row(*(Text("" if event[name] is None else str(event[name])) for name in _EVENT_COLUMNS))
    console.print(drawn)
