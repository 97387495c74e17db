"""Files of usage: what a line of JSON or a row of CSV may say, and which line is named where it may not."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pieced_billing.calendar import to_microseconds
from pieced_billing.ledger.lines import USAGE, Line, Malformed
from pieced_billing.usage.import_ import read_usage

NINE = to_microseconds(datetime(2026, 3, 1, 9, tzinfo=UTC))
SPEND = Line(USAGE, "u", "llm_spend", NINE, quantity=Decimal("1.5"), usage_id="x")
FIELDS = '"uid": "u", "meter": "llm_spend", "quantity": "1.5", "at": "2026-03-01T09:00:00Z", "id": "x"'
HEADER = "uid,meter,quantity,at,id"
ROW = "u,llm_spend,1.5,2026-03-01T10:00:00+01:00,x"


def read(text: str | bytes) -> list[tuple[int, Line | str]]:
    """What was read, with sentences instead of the objections that hold them."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    return [
        (number, str(line) if isinstance(line, Malformed) else line) for number, line in read_usage(file, NINE + 10**9)
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{{{FIELDS}}}",
        f'{{"kind": "usage", {FIELDS}}}',
        f"\ufeff{{{FIELDS}}}\r\n",
        f"{HEADER}\n{ROW}",
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER},source,corrects\n{ROW},,\n",
        'id,at,"quantity",meter,uid\nx,2026-03-01T09:00:00Z,"1.5",llm_spend,"u"\n',
    ],
)
def test_one_record_in_either_format(text: str) -> None:
    assert [line for _, line in read(text)] == [SPEND]


def test_lines_are_counted_as_an_editor_does() -> None:
    assert read(f"\n{{{FIELDS}}}\n\n{{{FIELDS}}}\n") == [(2, SPEND), (4, SPEND)]
    assert read(f"{HEADER}\n{ROW}\n\n{ROW}\n") == [(2, SPEND), (4, SPEND)]


def test_a_correction_names_what_it_corrects() -> None:
    (line,) = read(f"{HEADER},corrects,source\nu,llm_spend,-1.5,2026-03-01T09:00:00Z,y,x,relay\n")
    assert line == (2, SPEND._replace(quantity=Decimal("-1.5"), usage_id="y", corrects="x", source="relay"))


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_nothing(text: str) -> None:
    assert [line for _, line in read(text) if isinstance(line, Line)] == []


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ('{"kind": "deleted", "uid": "u", "at": "2026-03-01T09:00:00Z"}', 1, "a file of usage alone"),
        (f"{{{FIELDS}, {FIELDS}}}", 1, "twice"),
        (f"{{{FIELDS}}}\n[]", 2, "is not a JSON object"),
        (f"{HEADER}\nu,llm_spend,1,5,2026-03-01T09:00:00Z,x", 2, "has 6 cells; the header has 5"),
        (f"{HEADER}\n{ROW}\nu,llm_spend,,2026-03-01T09:00:00Z,y", 3, "lacks quantity"),
        (f"{HEADER}\nu,llm_spend,-1,2026-03-01T09:00:00Z,x", 2, "a negative one needs `corrects`"),
        (f"{HEADER}\nu,llm_spend,1e3,2026-03-01T09:00:00Z,x", 2, "without exponent"),
        (f"{HEADER}\nu,threema_messages,1.5,2026-03-01T09:00:00Z,x", 2, "messages are whole"),
        (f"{HEADER}\nu,llm_spend,1,2026-03-01T09:00:00,x", 2, "without an offset"),
        (f"{HEADER}\nu,llm_spend,1,2026-03-02T09:00:00Z,x", 2, "in the future"),
        (f'{HEADER}\n{ROW}\nu,llm_spend,1,2026-03-01T09:00:00Z,"x\n', 3, "is not CSV"),
        (f"{HEADER},{HEADER}\n", 1, "names the columns"),
        (f"{HEADER},price\n", 1, "names the columns"),
        ("uid,meter,quantity,at\n", 1, "names the columns"),
        (HEADER.encode() + b"\n\xff", 2, "is not text in UTF-8"),
        (f"{HEADER}\n{'x' * 200_000}", 2, "is not CSV"),
    ],
)
def test_what_cannot_be_read_is_named(text: str | bytes, number: int, reason: str) -> None:
    objections = [found for found in read(text) if isinstance(found[1], str)]
    assert [found[0] for found in objections] == [number]
    assert reason in str(objections[0][1])
