"""Chains of a few rows, as they are recorded, and changed past the program."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from pieced_billing.ledger.chain import BEFORE_FIRST, EVENTS, LINKED, Chain, Entry, canonical, link_hash


@dataclass(frozen=True)
class Recorded:
    """Rows as they were recorded, and the end of their chain."""

    entries: list[Entry]
    chain: Chain


@st.composite
def recorded(draw: st.DrawFn, least: int = 1) -> Recorded:
    """Up to eight rows of any tables, linked."""
    tables = draw(st.lists(st.sampled_from(LINKED), min_size=least, max_size=8))
    return linked([(table, draw(st.sampled_from("ab"))) for table in tables])


def linked(rows: Sequence[tuple[str, str]], *, minute: int = 0, after: Sequence[Entry] = ()) -> Recorded:
    """Rows, given as table and content, that are recorded in a minute, after others."""
    entries = list(after)
    for table, content in rows:
        link = len(entries) + 1
        fields = {"table": table, "content": content, "recorded_at": f"2026-03-01T09:{minute:02}:00.{link}+00:00"}
        if table in EVENTS:
            fields["seq"] = str(sum(entry.seq is not None for entry in entries) + 1)
        head = entries[-1].link_hash if entries else BEFORE_FIRST
        assert head is not None
        entries.append(Entry(link, link_hash(head, canonical(fields)), canonical(fields)))
    tables = [entry.fields["table"] for entry in entries]
    head = entries[-1].link_hash if entries else BEFORE_FIRST
    assert head is not None
    return Recorded(entries, Chain(len(entries), head, {table: tables.count(table) for table in LINKED}))


def edited(row: Entry, content: str) -> Entry:
    """The row with another content, and its hash as it was."""
    return Entry(row.link, row.link_hash, canonical(row.fields | {"content": content}))
