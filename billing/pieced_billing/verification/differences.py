"""What differs between a document as it is stored and as it should be: exactly, value by value. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from pieced_billing.invoicing.document import Invoice
from pieced_billing.invoicing.draft import is_carried_line
from pieced_billing.invoicing.rows import COLUMNS, LINE_COLUMNS, line_rows, row_of
from pieced_billing.verification.documents import Document

_JSON: Final = frozenset(("recipient", "content", "stands_on"))
_ABSENT: Final = "nothing"


class Difference(NamedTuple):
    """One thing that is not as it should be; both texts as they stand in tables, `nothing` for what is not there.

    `number` is empty where no document is named by it, `line` is None where it is about no line.
    """

    number: str
    line: int | None
    what: str
    stored: str
    right: str

    def document(self) -> dict[str, str | int | None]:
        """The same as JSON values."""
        return self._asdict()


def differences(document: Document, right: Invoice) -> Iterator[Difference]:
    """Everything in which a stored document is not the one that it should be.

    Warnings depend on what sources said of themselves then; the hash of the whole is all that tells of them. A document
    without a proof has no hash, and its lines do not say how far was read.
    """
    number, has_proof = document.number, document.output_hash is not None
    columns = row_of(right, document.id, number, document.finalised_at)
    for name, value in zip(COLUMNS, columns, strict=True):
        stored = document.row[name]
        if name in _JSON:
            if has_proof or name != "stands_on":
                yield from _json(number, name, stored, value)
        elif stored != value:
            yield Difference(number, None, name, text_of(stored), text_of(value))
    if has_proof and document.row_hash != document.output_hash:
        yield Difference(number, None, "output_hash", text_of(document.output_hash), text_of(document.row_hash))
    beside = sorted({line.service_from.replace(day=1) for line in right.lines if is_carried_line(line, right.month)})
    if right.reversal is None and list(document.carried) != beside:
        stored_months, months = (", ".join(f"{day:%Y-%m}" for day in days) for days in (document.carried, beside))
        yield Difference(number, None, "carried_periods", stored_months or _ABSENT, months or _ABSENT)
    if document.pdf_as_stored is False:
        yield Difference(number, None, "invoice_documents", "a PDF that does not give its SHA-256", "the PDF as made")
    yield from _lines(document, right, has_proof=has_proof)


def _lines(document: Document, right: Invoice, *, has_proof: bool) -> Iterator[Difference]:
    expected = dict(enumerate(line_rows(right), start=1))
    if expected == document.lines:
        return
    for position in sorted({*expected, *document.lines}):
        stored, made = document.lines.get(position), expected.get(position)
        if stored is None or made is None:
            yield Difference(document.number, position, "invoice_lines", _line_text(stored), _line_text(made))
        elif stored != made:
            for name, one, other in zip(LINE_COLUMNS, stored, made, strict=True):
                kept = has_proof or (name != "read_to" and one is not None)
                if one != other and kept:
                    yield Difference(document.number, position, name, text_of(one), text_of(other))


def _line_text(line: tuple[Any, ...] | None) -> str:
    if line is None:
        return _ABSENT
    named = dict(zip(LINE_COLUMNS, line, strict=True))
    of = f" {named['package']}" if named["package"] else ""
    return f"{named['kind']}{of} of {named['tenant_name']}, {text_of(named['amount'])}"


def _json(number: str, name: str, stored: str | None, right: str | None) -> Iterator[Difference]:
    if stored == right:
        return
    was, should = (orjson.loads(text or "null") for text in (stored, right))
    if name == "content" and isinstance(was, dict):
        should["warnings"] = was.get("warnings", [])
    yield from _values(number, None, name, was, should)


def _values(number: str, line: int | None, path: str, stored: Any, right: Any) -> Iterator[Difference]:
    if isinstance(stored, dict) and isinstance(right, dict):
        for key in dict.fromkeys((*right, *stored)):
            yield from _values(number, line, f"{path}.{key}", stored.get(key), right.get(key))
    elif isinstance(stored, list) and isinstance(right, list) and len(stored) == len(right):
        for index, (one, other) in enumerate(zip(stored, right, strict=True), start=1):
            place = index if path == "content.lines" else line
            yield from _values(number, place, path if path == "content.lines" else f"{path} {index}", one, other)
    elif stored != right:
        yield Difference(number, line, path, text_of(stored), text_of(right))


def text_of(value: Any) -> str:
    """A value as a person reads it."""
    match value:
        case None:
            return _ABSENT
        case Decimal():
            return f"{value:f}"
        case bytes():
            return value.hex()
        case datetime() | date():
            return value.isoformat()
        case Mapping() | list():
            return orjson.dumps(value).decode()
        case _:
            return str(value)
