"""A line's explanation in rows for a terminal of 80 columns: arithmetic, calendar, price, VAT, usage, events."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from pieced_billing.calendar import Month
from pieced_billing.money import exact_sum, number_text
from pieced_cli.bill import TITLES
from pieced_cli.month_grid import month_grid

_WIDTH: Final = 78
_LABEL: Final = 9
_INDENT: Final = 2
_FEW: Final = 5
"""So many rows of a kind are printed; -o json has all."""


def print_rows(heading: str, rows: Iterable[str]) -> None:
    """Print a heading and rows, unbroken."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(heading, style="bold"))
    for row in rows:
        console.print(Text(row))


def title(line: Mapping[str, Any], before: str = "") -> list[str]:
    """What is charged, how much, and how that is worked out, in as few rows as will do."""
    charge = line.get("adjusts", line["kind"])
    name = TITLES.get(charge, charge)
    if line["package"]:
        name = f"{name}: {line['package']}"
    if "adjusts" in line:
        name = f"adjustment of {name}"
    formula = line.get("formula")
    worked_out = "" if formula in (None, line["amount"]) else f" = {formula}"
    return _wrapped(f"{before}{name}   CHF {line['amount']}{worked_out}", _WIDTH)


def charge_rows(line: Mapping[str, Any], month: Month, zone: ZoneInfo) -> Iterator[str]:
    """What a line for service comes from."""
    if line["rounding"] is not None:
        yield from labelled("rounded", f"from {line['unrounded']}, {line['rounding']}")
    yield from _days(line, month)
    if line["price"] is not None:
        yield from labelled("price", f"{line['price']['value']} {_in_force(line['price'], zone)}")
    version = line["vat"]["version"]
    in_force = "" if version is None else f" {_in_force(version, zone)}"
    yield from labelled("VAT", f"{line['vat_rate']} % {line['vat']['posture'].replace('_', ' ')}{in_force}")
    yield from _usage(line, zone)
    yield from rows_of("events", [_event(event, zone) for event in line["events"]])
    for seam in line["discontinuities"]:
        yield from labelled("gap", f"{_seam(seam, zone)}: not seen, and not guessed")
    later = facts(line["later"], zone)
    yield from rows_of("later", ["recorded after the issue, and not counted here:", *later] if later else [])


def facts(of: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    """Events, usage and gaps that came at some time, each in a sentence."""
    usage = [f"{used['quantity']} on {used['on']}, {_records(used)}" for used in of["usage"]]
    if len(usage) > _FEW:
        usage = [*usage[:_FEW], f"and usage on {len(usage) - _FEW} more days"]
    gaps = (f"a gap {_seam(seam, zone)}" for seam in of["discontinuities"])
    return [*(_event(event, zone) for event in of["events"]), *usage, *gaps]


def rows_of(label: str, texts: Iterable[str]) -> Iterator[str]:
    """Rows of one kind, of which the first has the label."""
    for text in texts:
        yield from labelled(label, text)
        label = ""


def labelled(label: str, text: str) -> Iterator[str]:
    """A row that begins with a word, and goes on below itself where it is too long."""
    rows = wrap(text, _WIDTH - _INDENT - _LABEL, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    for number, row in enumerate(rows):
        yield f"{' ' * _INDENT}{label if number == 0 else '':<{_LABEL}}{row}"


def local(instant: str, zone: ZoneInfo) -> str:
    """An instant of a document as a clock in the billing zone shows it."""
    return datetime.fromisoformat(instant).astimezone(zone).isoformat()


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _in_force(version: Mapping[str, Any], zone: ZoneInfo) -> str:
    start = "since ever" if version["valid_from"] is None else f"from {version['valid_from']}"
    return f"{start}, recorded {local(version['recorded_at'], zone)[:10]} by {version['recorded_by']}"


def _days(line: Mapping[str, Any], month: Month) -> Iterator[str]:
    """The calendar of a line; a fee that is charged once has a single day."""
    if "charged_once" in line["other_days"]:
        yield from labelled("days", f"{', '.join(line['days'])}, charged once")
        return
    for number, row in enumerate(month_grid(month, line["days"], line["other_days"])):
        yield f"{' ' * _INDENT}{'days' if number == 0 else '':<{_LABEL}}{row}"


def _usage(line: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """The sum and number of the records of each source, and the largest records."""
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for of in line["usage"]:
        by_source.setdefault(of["source"], []).append(of)
    for source, used in by_source.items():
        quantity = number_text(exact_sum((Decimal(of["quantity"]) for of in used), Decimal(0)))
        records = {"records": sum(of["records"] for of in used), "source": source}
        days = len({of["on"] for of in used})
        yield from labelled("usage", f"{quantity} in {_records(records)} on {days} day{'' if days == 1 else 's'}")
    largest = (f"{of['quantity']} at {local(of['at'], zone)}, {of['id']} of {of['source']}" for of in line["largest"])
    yield from rows_of("largest", largest)


def _records(of: Mapping[str, Any]) -> str:
    return f"{of['records']} record{'' if of['records'] == 1 else 's'} of {of['source']}"


def _seam(seam: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Between what versions and instants something may have happened unseen, and why."""
    between = f"between {local(seam['not_before'], zone)} and {local(seam['not_after'], zone)}"
    return f"{between}, generations {seam['generation_before']} to {seam['generation_after']} ({seam['reason']})"


def _event(event: Mapping[str, Any], zone: ZoneInfo) -> str:
    """What happened when, how well that is known, and whose doing it was."""
    what = f"{event['kind']} {event['package']}" if event["package"] else event["kind"]
    parts = [f"{event['seq']}: {what} at {local(event['at'], zone)}", event["quality"], f"from {event['source']}"]
    if event["not_before"] is not None and event["not_after"] is not None:
        parts.append(f"between {local(event['not_before'], zone)} and {local(event['not_after'], zone)}")
    if event["generation"] is not None:
        parts.append(f"generation {event['generation']}")
    if event["manager"] is not None:
        parts.append(f"by {event['manager']}")
    return ", ".join(parts)
