"""Rows that a chain had and the tables have no more: from which table, and with which numbers. Pure.

A row that is gone left its number in the chain, and an event its sequence number as well. `ledger_chains` knows how
many links each table had, which tells the table where only one is short of rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pieced_billing.ledger.chain import EVENTS, LINKED
from pieced_billing.ledger.flaws import Flaw, What

NO_NUMBER = "its number is missing"


class Gap(NamedTuple):
    """Links that are missing between two events that are there, and the sequence numbers that are missing there."""

    links: Sequence[int]
    seqs: Sequence[int]


def missing_rows(gap: Gap, what: What, short: Mapping[str, int], reason: str = NO_NUMBER) -> Iterator[Flaw]:
    """A flaw for each missing row; `short` says which tables have fewer rows than they had, and how many."""
    events, others = _named(short, EVENTS), _named(short, LINKED[len(EVENTS) :])
    if len(gap.links) == len(gap.seqs):
        yield from (Flaw(what, events, seq, link, reason) for seq, link in zip(gap.seqs, gap.links, strict=True))
    elif not gap.seqs:
        yield from (Flaw(what, others, None, link, reason) for link in gap.links)
    else:
        yield from (Flaw(what, events, seq, None, reason) for seq in gap.seqs)
        yield from (Flaw(what, others, None, None, reason) for _ in range(len(gap.links) - len(gap.seqs)))


def _named(short: Mapping[str, int], among: Sequence[str]) -> str:
    return " or ".join([table for table in among if short.get(table, 0) > 0] or among)
