"""Reading lines of usage quickly, if they have the usual form; any other `lines.parse_line` reads or refuses. Pure."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Annotated, Final, Literal

import msgspec

from pieced_billing.calendar import Microseconds, to_microseconds
from pieced_billing.ledger.lines import DEFAULT_SOURCE, FUTURE, LONGEST_TEXT, USAGE, Line, parse_line

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]

_QUANTITY: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,18})?").fullmatch
_HOUR: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:")
_WITHIN_HOUR: Final = {
    f"{minute:02}:{second:02}": (minute * 60 + second) * 1_000_000 for minute in range(60) for second in range(60)
}
_NO_FRACTION: Final = ("Z", "+00:00")
_FRACTION: Final = re.compile(r"\.([0-9]{1,6})(?:Z|\+00:00)")
_FUTURE: Final = FUTURE // timedelta(microseconds=1)
_QUOTES: Final = 4
"""Quotation marks of a field whose value is a text without any."""


class _Usual(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    uid: _Text
    meter: Literal["llm_spend", "threema_messages"]
    quantity: str
    at: str
    id: _Text
    source: _Text | None = None
    corrects: _Text | None = None
    kind: Literal["usage"] | None = None


_decode: Final = msgspec.json.Decoder(_Usual).decode


def parse_usage_line(raw: bytes, now: Microseconds) -> Line:
    """The line of usage that these bytes are, as `lines.parse_line` gives it; raises Malformed."""
    line = _usual(raw, now)
    return parse_line(raw, now, USAGE) if line is None else line


def _usual(raw: bytes, now: Microseconds) -> Line | None:
    try:
        usual = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    source, corrects, quantity, at = usual.source, usual.corrects, usual.quantity, usual.at
    fields = 5 + (source is not None) + (corrects is not None) + (usual.kind is not None)
    # A field that is there twice has quotation marks that are too many; so has a text with an escaped one.
    if raw.count(b'"') != _QUOTES * fields or b"\\" in raw:
        return None
    if not _QUANTITY(quantity) or (usual.meter == "threema_messages" and "." in quantity):
        return None
    hour, within, fraction = _hour(at[:14]), _WITHIN_HOUR.get(at[14:19]), _fraction(at[19:])
    if hour is None or within is None or fraction is None or hour + within + fraction > now + _FUTURE:
        return None
    # One copy of what many lines share: a batch of them takes a third less memory.
    uid, source = intern(usual.uid), intern(source or DEFAULT_SOURCE)
    instant, amount = hour + within + fraction, Decimal(quantity)
    return Line(USAGE, uid, usual.meter, instant, source, None, None, None, amount, usual.id, corrects)


@lru_cache(maxsize=10_000)
def _hour(text: str) -> Microseconds | None:
    """The instant of the beginning of an hour that is written 2026-03-01T09: (a colon at its end)."""
    try:
        return to_microseconds(datetime.fromisoformat(f"{text}00:00Z")) if _HOUR.fullmatch(text) else None
    except ValueError:
        return None


def _fraction(text: str) -> Microseconds | None:
    """What is after the seconds, with an offset of nothing."""
    if text in _NO_FRACTION:
        return 0
    match = _FRACTION.fullmatch(text)
    return None if match is None else int(match[1].ljust(6, "0"))
