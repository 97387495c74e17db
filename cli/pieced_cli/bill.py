"""How a bill is printed for people: a page with its lines, VAT, total and what is open."""

import sys
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

TITLES = {
    "tenant_setup_fee": "setup fee",
    "tenant_monthly_fee": "monthly fee",
    "package_setup_fee": "package setup fee",
    "package_days": "package days",
    "llm_spend": "LLM spend",
    "threema_messages": "Threema messages",
}


def print_draft(document: Mapping[str, Any]) -> None:
    """Print a draft as a page: lines, VAT, total, warnings."""
    console = _console()
    title = f"Draft for organisation {document['org']}, {document['period']}"
    console.print(Text(title, style="bold"))
    _print_charges(console, document)
    for warning in document["warnings"]:
        console.print(Text(f"Warning {warning['code']}: {warning['text']}", style="yellow"))
    console.print()


def print_invoice(document: Mapping[str, Any]) -> None:
    """Print an invoice or credit note as a page: recipient, dates, lines, VAT, total, credit notes, payments."""
    console = _console()
    title = "Credit note" if document["kind"] == "credit_note" else "Invoice"
    console.print(Text(f"{title} {document['number']}, {document['period']}", style="bold"))
    if "credits" in document:
        console.print(Text(f"on invoice {document['credits']}: {document['reason']}"))
    recipient = document["recipient"]
    street = " ".join(part for part in (recipient["street"], recipient["house_number"]) if part)
    town = " ".join(part for part in (recipient["country"], recipient["postcode"], recipient["town"]) if part)
    address = [recipient["name"], street, town]
    console.print(Text(", ".join(part for part in (*address, f"organisation {document['org']}") if part)))
    console.print(Text(f"issued on {document['issued_on']}, due on {document['due_on']}"))
    _print_charges(console, document)
    for note in document["credit_notes"]:
        console.print(
            Text(f"credited on {note['issued_on']}: CHF {note['gross']} ({note['number']}, {note['reason']})")
        )
    for payment in document["payments"]:
        console.print(Text(f"paid on {payment['on']}: CHF {payment['amount']} ({payment['reference']})"))
    console.print(Text(f"{document['status'].replace('_', ' ')}, CHF {document['open']} open"))


def _print_charges(console: Console, document: Mapping[str, Any]) -> None:
    """The lines, then one row per VAT rate, then the total."""
    lines = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_footer=True)
    right = {"quantity", "unit price", "VAT %", "CHF"}
    for column in ("tenant", "charge", "service", "quantity", "unit", "unit price", "VAT %", "CHF"):
        lines.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for line in document["lines"]:
        lines.add_row(*(Text(cell) for cell in _line(line)))
    lines.add_section()
    for vat in document["vat"]:
        lines.add_row("", f"VAT on {vat['net']}", "", "", "", "", vat["rate"], vat["amount"])
    lines.columns[1].footer = f"total ({document['vat_posture']})"
    lines.columns[-1].footer = document["gross"]
    console.print(lines)


def _line(line: Mapping[str, Any]) -> tuple[str, ...]:
    charge = line.get("adjusts", line["kind"])
    title = TITLES.get(charge, charge)
    if "adjusts" in line:
        title = f"{line['original_invoice']} was {line['billed']}, is {line['correct']}: {title}"
    if "carried_from" in line:
        title = f"carried from {line['carried_from']}: {title}"
    same_day = line["service_from"] == line["service_to"]
    service = line["service_from"] if same_day else f"{line['service_from']} – {line['service_to'][8:]}"
    return (
        line["tenant"],
        f"{title}: {line['package']}" if line["package"] else title,
        service,
        line["quantity"],
        line["unit"],
        line["unit_price"],
        line["vat_rate"],
        line["amount"],
    )


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 200)
