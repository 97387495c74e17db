"""The explanation of an invoice or credit note for people: line by line what each comes from, then VAT and total."""

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month
from pieced_cli.line_explanation import charge_rows, facts, labelled, print_rows, rows_of, title


def print_invoice(document: Mapping[str, Any]) -> None:
    """Print the explanation of an invoice, or of one line of it."""
    kind = "Credit note" if document["kind"] == "credit_note" else "Invoice"
    heading = f"{kind} {document['number']}, {document['period']}, issued on {document['issued_on']}"
    print_rows(heading, _rows(document, ZoneInfo(document["zone"])))


def _rows(document: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    yield f"organisation {document['org']}"
    if document["credits"] is not None:
        yield f"on invoice {document['credits']}: {document['reason']}"
    for line in document["lines"]:
        yield ""
        yield from _line(line, document["number"], zone)
    if "vat" in document:
        yield ""
        yield from _totals(document)
    yield ""


def _line(line: Mapping[str, Any], number: str, zone: ZoneInfo) -> Iterator[str]:
    yield from title(line, f"{line['line']}: {line['tenant']}, ")
    yield from _differences(line["differences"], number)
    if "adjusts" in line:
        yield from _adjustment(line, zone)
    elif "original" in line:
        yield from _credit(line, zone)
    else:  # the month of its days, which may be one that was carried
        yield from charge_rows(line, Month.parse(line["service_from"][:7]), zone)


def _adjustment(line: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What was billed, what is right, and what came in between."""
    original = f"{line['original_period']}, invoice {line['original_invoice']}"
    yield from labelled(
        "adjusts", original if line["original_line"] is None else f"{original} line {line['original_line']}"
    )
    for of in line["billed_by"]:
        yield from labelled("billed", f"CHF {of['amount']} by line {of['line']} of {of['invoice']}")
    if not line["billed_by"]:
        yield from labelled("billed", "nothing")
    if line["taken_back"]:
        yield from labelled("correct", "nothing: the month is billed again here, with lines of its own")
    elif not line["correct_lines"]:
        yield from labelled("correct", "nothing")
    yield from rows_of("arrived", facts(line["arrived"], zone))
    for correct in line["correct_lines"]:
        yield from rows_of("correct", title(correct))
        yield from _indented(charge_rows(correct, Month.parse(line["original_period"]), zone))


def _credit(line: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What is taken back of which line, and what that line comes from."""
    original = line["original"]
    yield from labelled("credits", f"line {original['line']} of {original['invoice']}, CHF {original['amount']}")
    part = "all of it" if line["amount"] == f"-{line['left']}" else "a share of the credited amount (largest remainder)"
    yield from labelled("left", f"CHF {line['left']} was left of it; this takes back {part}")
    yield from _indented(_line(original, original["invoice"], zone))


def _totals(document: Mapping[str, Any]) -> Iterator[str]:
    """VAT by rate and the total, with the lines that they are the sum of."""
    yield from _differences(document["differences"], document["number"])
    for vat in document["vat"]:
        yield f"VAT {vat['rate']} %   CHF {vat['amount']} = {vat['formula']}"
        yield from labelled("lines", f"{_places(vat['lines'])}, together CHF {vat['net']}")
        rest = "what was left of the VAT of the invoice, as nothing else is left of it"
        yield from labelled("rounded", rest if vat["is_rest"] else f"from {vat['unrounded']}, {vat['rounding']}")
    parts = [document["net"], *(vat["amount"] for vat in document["vat"])]
    yield f"Total   CHF {document['gross']} = {' + '.join(parts)}".replace("+ -", "− ")


def _differences(differences: list[str], number: str) -> Iterator[str]:
    for difference in differences:
        yield from labelled("DIFFERS", f"{difference}; see `pieced verify {number}`")


def _indented(rows: Iterator[str]) -> Iterator[str]:
    return (f"  {row}" for row in rows)


def _places(places: list[int]) -> str:
    """Places of lines, those that follow each other as `1 – 7`."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], place]
        else:
            runs.append([place])
    return ", ".join(" – ".join(map(str, run)) for run in runs)
