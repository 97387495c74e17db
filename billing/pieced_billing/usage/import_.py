"""`pieced usage import`: records of usage from a file of JSON Lines or CSV, all of it or nothing."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO, Final

from pieced_billing.calendar import Microseconds
from pieced_billing.ledger.import_ import Imported, begin, numbered_lines
from pieced_billing.ledger.lines import USAGE, Line, Malformed, parse_fields
from pieced_billing.ledger.record_usage import record_usage
from pieced_billing.ledger.usage_lines import parse_usage_line
from pieced_billing.store.connections import Connection

_REQUIRED_COLUMNS: Final = ("uid", "meter", "quantity", "at", "id")
_COLUMNS: Final = (*_REQUIRED_COLUMNS, "source", "corrects", "cluster")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def import_usage(connection: Connection, file: BinaryIO) -> Imported:
    """Record the usage of a file, which is CSV unless its first line begins a JSON object; the caller commits.

    Records that the ledger has already are skipped. Raises ImportRefused, with line numbers and reasons, if a line is
    malformed, of a tenant that the ledger does not know, or contradicts what is recorded; then the caller rolls back.
    """
    now = begin(connection)
    return record_usage(connection, read_usage(file, now), now)


def read_usage(file: BinaryIO, now: Microseconds) -> Iterator[tuple[int, Line | Malformed]]:
    """The records of a file with the numbers of their lines; `now` judges what lies in the future."""
    lines = numbered_lines(file)
    first = next(lines, None)
    if first is None:
        return iter(())
    number, raw = first
    raw = raw.removeprefix(_BYTE_ORDER_MARK)
    read = _json_lines if raw.lstrip().startswith(b"{") else _csv
    return read(chain(((number, raw),), lines), now)


def _json_lines(lines: Iterable[tuple[int, bytes]], now: Microseconds) -> Iterator[tuple[int, Line | Malformed]]:
    for number, raw in lines:
        try:
            line = parse_usage_line(raw, now)
            if line.kind != USAGE:
                raise Malformed(f"has the kind {line.kind}; this is a file of usage alone")
            yield number, line
        except Malformed as malformed:
            yield number, malformed


def _csv(lines: Iterable[tuple[int, bytes]], now: Microseconds) -> Iterator[tuple[int, Line | Malformed]]:
    """The rows below a header of the fields' names; an empty cell says as much as a field that is left out.

    After what is no CSV nothing more can be read: where a quotation mark is missing, rows and cells are guesses.
    """
    number = 0

    def decoded() -> Iterator[str]:
        nonlocal number
        for number, raw in lines:  # noqa: B007 - the number of the line that the reader has come to
            yield raw.decode()

    header: Sequence[str] = ()
    try:
        for row in csv.reader(decoded(), strict=True):
            if header:
                yield number, _record(header, row, now)
            else:
                header = _header(row)
    except csv.Error as error:
        yield number, Malformed(f"is not CSV ({error})")
    except UnicodeDecodeError:
        yield number, Malformed("is not text in UTF-8")
    except Malformed as malformed:
        yield number, malformed


def _header(row: Sequence[str]) -> Sequence[str]:
    """The names of the columns; raises Malformed."""
    unknown = [name for name in row if name not in _COLUMNS]
    missing = [name for name in _REQUIRED_COLUMNS if name not in row]
    if unknown or missing or len(set(row)) < len(row):
        raise Malformed(
            f"names the columns {', '.join(row)}; a file of usage is JSON Lines, or CSV with the columns "
            f"{', '.join(_REQUIRED_COLUMNS)} and, where needed, source, corrects, cluster"
        )
    return row


def _record(header: Sequence[str], row: Sequence[str], now: Microseconds) -> Line | Malformed:
    if len(row) != len(header):
        return Malformed(f"has {len(row)} cells; the header has {len(header)}")
    try:
        return parse_fields({name: cell for name, cell in zip(header, row, strict=True) if cell}, now, USAGE)
    except Malformed as malformed:
        return malformed
