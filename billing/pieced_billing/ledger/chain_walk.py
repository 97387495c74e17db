"""Whether a tenant's rows are the chain that was recorded, and which of them are not. Pure.

A row that does not follow from the one before it was edited, or stands elsewhere; one with a number that is taken, or
without one, was inserted; a number that is missing is a row that is gone. What comes after an edited row is judged by
the hash that this row had, so that one edit is one flaw. A row right after one that is gone cannot be judged.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pieced_billing.ledger.chain import BEFORE_FIRST, Chain, Entry, link_hash
from pieced_billing.ledger.chain_order import Step, recorded_links, recorded_seq
from pieced_billing.ledger.flaws import Flaw, What
from pieced_billing.ledger.missing_rows import Gap, missing_rows

_ORDERED: Final = 10_000
"""Of chains up to this length it is told where rows that were moved had stood."""

_CHAINS: Final = "ledger_chains"

_FARTHEST: Final = 1_000_000
"""No number is so far from the one before it that the rows in between could be named."""

_REMEMBERED: Final = 32
"""So many hashes that wrong rows hide are tried for the rows after them."""


class _Unexpected(NamedTuple):
    """A row that does not follow from `before`; `follows` if it does from a row before that one."""

    entry: Entry
    before: bytes
    follows: bool


class ChainWalk:
    """Goes along one tenant's rows, which come by link, those without one last."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        """How many links are rows of which table."""
        self._last = 0
        self._last_seq = 0
        self._hash = BEFORE_FIRST
        self._steps: list[Step] = []
        self._hidden: list[bytes] = []
        self._unexpected: list[_Unexpected] = []
        self._after_holes: dict[int, Entry] = {}
        self._holes: list[int] = []
        self._gaps: list[Gap] = []
        self._found: list[Flaw] = []

    def take(self, entry: Entry) -> bool:
        """Go to the next row; whether it is a link of the chain, maybe an edited one."""
        link, stated = entry.link, entry.link_hash
        if link == self._last + 1 and stated == link_hash(self._hash, entry.content):
            self._step(entry, link, stated)
            return True
        return self._take_unexpected(entry)

    def flaws(self, chain: Chain | None) -> Iterator[Flaw]:
        """What is wrong, when all rows were taken; `chain` is the end that `ledger_chains` keeps."""
        yield from self._found
        places = self._places()
        yield from self._wrong_rows(places)
        moved = {link: places[link] for link in self._after_holes if places.get(link, link) != link}
        for link, recorded in moved.items():
            yield _flaw(What.REORDERED, self._after_holes[link], f"it was recorded as link {recorded}")
        end = chain or Chain(self._last, self._hash, {})
        if chain is None and self._last:
            yield Flaw(What.DELETED, _CHAINS, None, None, "the end of the chain is not kept any more")
        elif chain is not None and sum(chain.rows.values()) != chain.length:
            yield Flaw(What.EDITED, _CHAINS, None, chain.length, "its rows are not as many as its links")
            end = Chain(self._last, self._hash, {})
        yield from self._beyond(end, moved)
        short = {table: rows - self.rows[table] for table, rows in end.rows.items()}
        for gap in self._gaps:
            yield from missing_rows(self._without(gap, moved, end), What.DELETED, short)
        what = What.TRUNCATED if self._last < end.length else What.DELETED
        yield from missing_rows(self._without(self._last_gap(end), moved, end), what, short)
        if self._last > end.length and not self._after_holes:
            reason = f"the rows end with link {self._last}: that row was put in, or this one changed"
            yield Flaw(What.EDITED, _CHAINS, None, end.length, reason)
        elif self._last == end.length and end.head not in {self._hash, *self._hidden}:
            reason = f"the row of link {self._last} has another hash: that row was changed, or this one"
            yield Flaw(What.EDITED, _CHAINS, None, end.length, reason)
        elif self._last == end.length and not self._gaps and not self._holes and any(short.values()):
            yield Flaw(What.EDITED, _CHAINS, None, end.length, "the tables have other numbers of rows")

    def _last_gap(self, end: Chain) -> Gap:
        """What is missing after the last event."""
        links = range(self._last + 1, min(end.length, self._last + _FARTHEST) + 1)
        seqs = range(self._last_seq + 1, min(end.events, self._last_seq + _FARTHEST) + 1)
        return Gap([*self._holes, *links], seqs if links or self._holes else ())

    def _beyond(self, end: Chain, moved: Mapping[int, int]) -> Iterator[Flaw]:
        """Rows with numbers that the chain never had."""
        for link, entry in self._after_holes.items():
            if link > end.length and link not in moved:
                yield _flaw(What.INSERTED, entry, "its number is beyond the end of the chain")

    def _step(self, entry: Entry, link: int, stated: bytes) -> None:
        self._last, self._hash = link, stated
        if link <= _ORDERED:
            self._steps.append(Step(link, stated))
        self.rows[entry.fields["table"]] += 1
        if (seq := entry.seq) is not None:
            if self._holes:
                self._gaps.append(Gap(self._holes, range(self._last_seq + 1, seq)))
                self._holes = []
            self._last_seq = seq

    def _take_unexpected(self, entry: Entry) -> bool:
        link, stated, content = entry.link, entry.link_hash, entry.content
        if link is None or stated is None:
            self._insert(entry, "it has no link: Pieced did not record it")
            return False
        if link <= self._last:
            return self._take_repeated(entry, link, stated)
        if link > self._last + _FARTHEST:
            self._insert(entry, "its number is far beyond the chain")
            return False
        if link > self._last + 1 and stated == link_hash(self._hash, content):
            self._found.append(_flaw(What.EDITED, entry, f"it was recorded as link {self._last + 1}"))
            link = self._last + 1
        elif link > self._last + 1:
            self._holes += range(self._last + 1, link)
            self._after_holes[link] = entry
        else:
            follows = any(stated == link_hash(before, content) for before in self._hidden)
            self._unexpected.append(_Unexpected(entry, self._hash, follows))
            if not follows:
                hidden = self._hash, stated, link_hash(self._hash, content)
                self._hidden = [*self._hidden, *hidden][-_REMEMBERED:]
        self._step(entry, link, stated)
        return True

    def _take_repeated(self, entry: Entry, link: int, stated: bytes) -> bool:
        """Of two rows with one number the one that follows from the row before is the recorded one."""
        last = self._unexpected[-1] if self._unexpected else None
        if last is None or last.entry.link != link or stated != link_hash(last.before, entry.content):
            self._insert(entry, "its number is another row's")
            return False
        self._unexpected.pop()
        self._insert(last.entry, "its number is another row's")
        self.rows[last.entry.fields["table"]] -= 1
        self._steps = [step for step in self._steps if step.link != link]
        self._step(entry, link, stated)
        return True

    def _insert(self, entry: Entry, reason: str) -> None:
        self._found.append(_flaw(What.INSERTED, entry, reason))

    def _places(self) -> dict[int, int]:
        """By their links now, the links with which rows that are genuine were recorded; of a long chain of none."""
        entries = {one.entry.link: one.entry for one in self._unexpected if one.entry.link is not None}
        entries |= self._after_holes
        return recorded_links(self._steps, entries) if entries and self._last <= _ORDERED else {}

    def _without(self, gap: Gap, moved: Mapping[int, int], chain: Chain) -> Gap:
        """What of a gap is gone, and neither stands elsewhere nor was ever there."""
        elsewhere = set(moved.values())
        seqs = {self._after_holes[link].seq for link in moved}
        links = [link for link in gap.links if link <= chain.length and link not in elsewhere]
        return Gap(links, [seq for seq in gap.seqs if seq not in seqs])

    def _wrong_rows(self, places: Mapping[int, int]) -> Iterator[Flaw]:
        """Rows that do not follow: they are genuine and stand elsewhere, or they were edited."""
        entries = [one.entry for one in self._unexpected]
        for entry, before, follows in self._unexpected:
            recorded = places.get(entry.link or 0)
            seq = None if follows else recorded_seq(entry, before, entries)
            if seq is not None:
                yield _flaw(What.REORDERED, entry, f"it was recorded as seq {seq}")
            elif recorded is not None and recorded != entry.link:
                yield _flaw(What.REORDERED, entry, f"it was recorded as link {recorded}")
            elif recorded is None and not follows:
                yield _flaw(What.EDITED, entry, "with this content it does not follow from the row before")


def _flaw(what: What, entry: Entry, reason: str) -> Flaw:
    return Flaw(what, entry.fields["table"], entry.seq, entry.link, reason)
