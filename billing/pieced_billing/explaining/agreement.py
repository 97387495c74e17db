"""Whether what was issued is what the ledger gives: in what a line differs from the same one worked out again."""

from collections.abc import Mapping, Sequence
from typing import Any

from pieced_billing.invoicing.draft import line_document
from pieced_billing.rating.lines import Line


def counterpart(line: Line, again: Sequence[Line]) -> Line | None:
    """The line worked out again that a stored one should be."""
    same = [one for one in again if (one.kind, one.package) == (line.kind, line.package)]
    return next((one for one in same if one.service_from == line.service_from), None)


def differs_from_ledger(line: Line, again: Line | None) -> list[str]:
    """In what a stored line differs from the same line worked out again."""
    if again is None:
        return ["the ledger gives no such line"]
    given = line_document(again)
    found = [
        f"{name} is {_text(value)}, the ledger gives {_text(given[name])}"
        for name, value in line_document(line).items()
        if value != given[name]
    ]
    if not found and line.days != again.days:
        found = ["its days are not those that the ledger gives"]
    return found


def differs_from_document(line: Line, shown: Mapping[str, Any]) -> list[str]:
    """In what a stored line differs from the line of the document that was issued."""
    return [
        f"{name} is {_text(value)}, the document says {_text(shown.get(name))}"
        for name, value in line_document(line).items()
        if value != shown.get(name)
    ]


def _text(value: object) -> str:
    return "nothing" if value is None else str(value)
