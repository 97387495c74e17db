"""One line of the interchange format: what it may say, and the value that it is. Pure.

The format is `pieced ledger import`'s and `export`'s, one JSON object a line.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from pieced_billing.calendar import Microseconds, to_microseconds
from pieced_billing.ledger.events import Kind, Meter, Quality

USAGE: Final = "usage"
METERS: Final = tuple(str(meter) for meter in Meter)
DEFAULT_SOURCE: Final = "import"

LONGEST_TEXT: Final = 253  # of a name in Kubernetes, in characters; index keys have their limits
FUTURE: Final = timedelta(minutes=5)

_RARE: Final = frozenset(("cluster", "not_before", "not_after", "quality", "generation", "manager"))
_OPTIONAL: Final = _RARE | {"source"}
_REQUIRED: Final = {
    str(Kind.CREATED): ("uid", "at", "tenant", "org"),
    str(Kind.DELETED): ("uid", "at"),
    str(Kind.ENABLED): ("uid", "at", "package"),
    str(Kind.DISABLED): ("uid", "at", "package"),
    str(Kind.SUSPENDED): ("uid", "at"),
    str(Kind.RESUMED): ("uid", "at"),
    USAGE: ("uid", "at", "meter", "quantity", "id"),
}
_ALLOWED: Final = {
    kind: {"kind", *required, *_OPTIONAL, *(("corrects",) if kind == USAGE else ())}
    for kind, required in _REQUIRED.items()
}
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]+))?(Z|z|[+-][0-9]{2}:[0-9]{2})?"
)
_STRING: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?')
"""A string of well-formed JSON, and the colon after it that makes it a name."""
_QUANTITY: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_FIRST_INSTANT: Final = to_microseconds(datetime(1, 1, 1, tzinfo=UTC))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Malformed(Exception):
    """A line that is not of the format; the message says why."""


class Line(NamedTuple):
    """A well-formed line. Fields that its kind does not have are None, except that `package` is then empty.

    `package` is the meter on a usage line. `cluster` is None where the line leaves it to
    the tenant's.
    """

    kind: str
    uid: str
    package: str
    at: Microseconds
    source: str = DEFAULT_SOURCE
    cluster: str | None = None
    tenant: str | None = None
    org: str | None = None
    quantity: Decimal | None = None
    usage_id: str | None = None
    corrects: str | None = None
    not_before: Microseconds | None = None
    not_after: Microseconds | None = None
    quality: str = str(Quality.EXACT)
    generation: int | None = None
    manager: str | None = None


def parse_line(raw: bytes, now: Microseconds, assumed_kind: str | None = None) -> Line:
    """The line that these bytes are; raises Malformed. `now` judges what lies in the future.

    A line that does not say its kind has `assumed_kind`.
    """
    try:
        entry = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(_why_no_json(raw, error.msg)) from None
    if not isinstance(entry, dict):
        raise Malformed("is not a JSON object")
    line = parse_fields(entry, now, assumed_kind)
    # Of a field that is there twice the parser keeps the last, but its quotation marks are there. No look at the text
    # costs less, and nearly every line has no others than those around its names and texts.
    if raw.count(b'"') != 2 * (len(entry) + list(map(type, entry.values())).count(str)):
        _refuse_repeated_names(raw)
    return line


def parse_fields(entry: Mapping[str, Any], now: Microseconds, assumed_kind: str | None = None) -> Line:
    """The line with these fields, as JSON has them; raises Malformed."""
    kind = entry.get("kind", assumed_kind)
    if not isinstance(kind, str) or kind not in _REQUIRED:
        raise Malformed(f"has the kind {_shown(kind)}; kinds are {', '.join(_REQUIRED)}")
    if not _ALLOWED[kind].issuperset(entry):
        unknown = sorted(entry.keys() - _ALLOWED[kind])
        raise Malformed(f"has a field that {kind} does not have: {', '.join(map(_shown, unknown))}")
    for name in _REQUIRED[kind]:
        if entry.get(name) is None:
            raise Malformed(f"lacks {name}, which {kind} needs")
    return _line(kind, entry, now)


def _why_no_json(raw: bytes, reason: str) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "is not text in UTF-8"
    return f"is not JSON ({reason})"


def _refuse_repeated_names(raw: bytes) -> None:
    """Raise Malformed if a name stands twice in the text of an object whose values are no objects."""
    names: set[str] = set()
    for text, colon in _STRING.findall(raw):
        if not colon:
            continue
        name = orjson.loads(b'"%b"' % text)
        if name in names:
            raise Malformed(f"has the field {_shown(name)} twice")
        names.add(name)


def _line(kind: str, entry: Mapping[str, Any], now: Microseconds) -> Line:
    uid = _text(entry, "uid")
    at = _instant(entry, "at", now)
    source = DEFAULT_SOURCE if entry.get("source") is None else _text(entry, "source")
    if kind == USAGE:
        line = _usage_line(entry, uid, at, source)
    elif kind == Kind.CREATED:
        line = Line(kind, uid, "", at, source, tenant=_text(entry, "tenant"), org=_text(entry, "org"))
    elif "package" in entry:
        line = Line(kind, uid, _text(entry, "package"), at, source)
    else:
        line = Line(kind, uid, "", at, source)
    return line if _RARE.isdisjoint(entry) else _with_rare(line, entry, now)


def _usage_line(entry: Mapping[str, Any], uid: str, at: Microseconds, source: str) -> Line:
    meter = entry["meter"]
    if meter not in METERS:
        raise Malformed(f"has the meter {_shown(meter)}; meters are {', '.join(METERS)}")
    corrects = None if entry.get("corrects") is None else _text(entry, "corrects")
    quantity = _quantity(entry["quantity"], meter, correction=corrects is not None)
    return Line(USAGE, uid, meter, at, source, quantity=quantity, usage_id=_text(entry, "id"), corrects=corrects)


def _with_rare(line: Line, entry: Mapping[str, Any], now: Microseconds) -> Line:
    """The line with what is also known of it; null is as good as left out."""
    known: dict[str, Any] = {}
    for name in _RARE & entry.keys():
        value = entry[name]
        if value is None:
            continue
        if name in {"not_before", "not_after"}:
            known[name] = _instant(entry, name, now)
        elif name == "generation":
            if type(value) is not int or not 0 <= value < 2**63:
                raise Malformed(f"has the generation {_shown(value)}; it is a whole number")
            known[name] = value
        elif name == "quality":
            if value not in tuple(Quality):
                raise Malformed(f"has the quality {_shown(value)}; qualities are {', '.join(Quality)}")
            known[name] = value
        else:
            known[name] = _text(entry, name, empty=name == "cluster")
    return line._replace(**known)


def _text(entry: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = entry[name]
    if type(value) is not str or len(value) > LONGEST_TEXT or "\0" in value or not (value or empty):
        raise Malformed(f"has the {name} {_shown(value)}; it is a text of 1 to {LONGEST_TEXT} characters")
    return value


def _instant(entry: Mapping[str, Any], name: str, now: Microseconds) -> Microseconds:
    text = entry[name]
    match = _INSTANT.fullmatch(text) if type(text) is str else None
    if match is None:
        raise Malformed(f"has {name} {_shown(text)}; an instant is written 2026-03-01T09:00:00.123456+01:00")
    fraction, offset = match.groups()
    if offset is None:
        raise Malformed(f"has {name} {_shown(text)} without an offset; write Z or +01:00 after it")
    if fraction is not None and len(fraction) > 6:
        raise Malformed(f"has {name} {_shown(text)}; an instant has at most six digits after the point")
    try:
        instant = (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except ValueError:
        raise Malformed(f"has {name} {_shown(text)}, which no calendar or clock shows") from None
    if instant < _FIRST_INSTANT:
        raise Malformed(f"has {name} {_shown(text)}; the first year is 1")
    if instant > now + FUTURE // _MICROSECOND:
        raise Malformed(f"has {name} {_shown(text)}, more than 5 minutes in the future")
    return instant


def _quantity(text: Any, meter: str, *, correction: bool) -> Decimal:
    match = _QUANTITY.fullmatch(text) if type(text) is str else None
    if match is None:
        raise Malformed(f'has the quantity {_shown(text)}; it is a text such as "12.5", without exponent')
    sign, whole, decimals = match.groups()
    if sign and not correction:
        raise Malformed(f"has the quantity {_shown(text)}; a negative one needs `corrects`")
    if len(decimals or "") > 18 or len(whole) > 30:
        raise Malformed(f"has the quantity {_shown(text)}; it has at most 30 digits before the point and 18 after")
    if meter == Meter.THREEMA_MESSAGES and (decimals or "").strip("0"):
        raise Malformed(f"has the quantity {_shown(text)}; messages are whole")
    return Decimal(text)


def _shown(value: Any) -> str:
    """A value as the file has it, cut short."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"
