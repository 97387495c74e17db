"""The hash chain over a tenant's rows: what of a row is hashed, and how a row follows from the one before it. Pure.

    link_hash of link n = SHA256(link_hash of link n - 1 || the row as canonical JSON), after 32 zero bytes

Canonical JSON is RFC 8785's. All values are text, so that no two programs can disagree on how a number is written: the
row has its columns by name, and `table`, without those that are null. Columns that say nothing of the tenant are left
out: the surrogate key, the link itself, and the stamp, which is the SHA-256 of such a row that is not linked.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, NamedTuple

import orjson

BEFORE_FIRST: Final = bytes(32)
"""What the first link follows from."""

NOT_HASHED: Final = frozenset(("id", "link", "link_hash", "stamp"))

EVENTS: Final = ("tenant_lifecycle_events", "tenant_skill_events", "tenant_suspension_events")
LINKED: Final = (*EVENTS, "usage_records", "tenant_discontinuities", "tenant_resume_requests")
"""The tables whose rows are links."""


class Chain(NamedTuple):
    """The end of a tenant's chain as the ledger keeps it, and how many of its links are rows of which table."""

    length: int
    head: bytes
    rows: Mapping[str, int]

    @property
    def events(self) -> int:
        """How many events there are, which is the last sequence number too."""
        return sum(self.rows.get(table, 0) for table in EVENTS)


class Entry:
    """A row of a linked table, as canonical JSON.

    `fields` is what that says: the hashed columns and `table`, by name, those that are not null.
    """

    __slots__ = ("content", "fields", "link", "link_hash")

    def __init__(self, link: int | None, link_hash: bytes | None, content: bytes) -> None:
        self.link = link
        self.link_hash = link_hash
        self.content = content
        self.fields: dict[str, str] = orjson.loads(content)

    @property
    def seq(self) -> int | None:
        """The sequence number, if the row is an event."""
        seq = self.fields.get("seq")
        return None if seq is None else int(seq)


def canonical(fields: Mapping[str, str | None]) -> bytes:
    """The canonical JSON (RFC 8785) of a row that is given as text; what is None is left out.

    Names are sorted by UTF-16 code units there and by UTF-8 here, which for names of columns, all ASCII, is the same.
    """
    return orjson.dumps(
        {name: value for name, value in fields.items() if value is not None}, option=orjson.OPT_SORT_KEYS
    )


def link_hash(before: bytes, content: bytes) -> bytes:
    """The hash of the link that a row, as canonical JSON, makes after another link's hash."""
    return sha256(before + content).digest()


def stamp(content: bytes) -> bytes:
    """The stamp of a row that changes and is therefore no link."""
    return sha256(content).digest()
