"""Records of usage as rows of `usage_records`: each the next link of its tenant's chain.

What is hashed is `chain.canonical` of the row; written out, it takes half the time.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

import orjson

from pieced_billing.calendar import Microseconds, from_microseconds
from pieced_billing.ledger.lines import Line
from pieced_billing.store.instants import to_wire

COLUMNS: Final = (
    *("source", "usage_id", "cluster_id", "tenant_uid", "meter", "quantity", "occurred_at", "corrects"),
    *("recorded_at", "link", "link_hash"),
)
# A timestamptz goes over the wire as an int8 (store/instants.py).
TYPES: Final = ("text", "text", "text", "text", "text", "numeric", "int8", "text", "int8", "int8", "bytea")

_UID: Final = attrgetter("uid")
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))


class End(NamedTuple):
    """The end of a tenant's chain, and how many records of usage were added to it."""

    cluster: str
    length: int
    head: bytes
    added: int = 0


def linked_rows(
    lines: Iterable[Line], ends: Mapping[str, End], after: dict[str, End], recorded_at: Microseconds
) -> Iterator[tuple[object, ...]]:
    """The rows that lines of usage become; those of one tenant stand together and are linked in their order.

    `after` gets the ends of their chains.
    """
    moment, recorded_json = to_wire(recorded_at), _instant(recorded_at)
    for uid, of_tenant in groupby(lines, key=_UID):
        cluster, length, head, added = ends[uid]
        before = length
        opening, uid_json = f'{{"cluster_id":{_text(cluster)}', _text(uid)
        for line in of_tenant:
            meter, quantity, corrects, usage_id = line.package, line.quantity, line.corrects, line.usage_id
            assert quantity is not None
            corrects_json = "" if corrects is None else f',"corrects":{_text(corrects)}'
            entry = (
                f'{opening}{corrects_json},"meter":"{meter}","occurred_at":"{_instant(line.at)}"'
                f',"quantity":"{_number(quantity)}","recorded_at":"{recorded_json}","source":{_text(line.source)}'
                f',"table":"usage_records","tenant_uid":{uid_json},"usage_id":{_text(usage_id)}}}'
            )
            length += 1
            head = sha256(head + entry.encode()).digest()
            at = to_wire(line.at)
            yield line.source, usage_id, cluster, uid, meter, quantity, at, corrects, moment, length, head
        after[uid] = End(cluster, length, head, added + length - before)


def _text(value: str | None) -> str:
    return orjson.dumps(value).decode()


def _number(number: Decimal) -> str:
    """As PostgreSQL writes a numeric, which has no negative zero."""
    text = f"{number:f}"
    return text if number or text[0] != "-" else text[1:]


def _instant(instant: Microseconds) -> str:
    """As PostgreSQL writes a timestamptz of UTC in JSON: without zeros at the end of its fraction."""
    minutes, within = divmod(instant, _MINUTE)
    seconds, fraction = divmod(within, _SECOND)
    if fraction:
        return f"{_minute(minutes)}:{_TWO_DIGITS[seconds]}.{f'{fraction:06}'.rstrip('0')}+00:00"
    return f"{_minute(minutes)}:{_TWO_DIGITS[seconds]}+00:00"


@lru_cache(maxsize=10_000)
def _minute(minutes: int) -> str:
    return from_microseconds(minutes * _MINUTE).isoformat()[:16]
