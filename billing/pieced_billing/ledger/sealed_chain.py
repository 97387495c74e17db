"""A tenant's rows against the end that their chain had when it was sealed: which of them are lost since. Pure.

What a chain says of itself finds everything but a chain that was computed anew together with its end, or cut together
with it. Of such a chain the seal says that it is another one, and how many rows of which table it had.
"""

from collections import Counter
from collections.abc import Collection, Iterator

from pieced_billing.ledger.chain import Chain, Entry
from pieced_billing.ledger.flaws import Flaw, What
from pieced_billing.ledger.missing_rows import Gap, missing_rows
from pieced_billing.ledger.seal import Head

_TENANTS = "tenant_billing_lifecycle"


class SealedChain:
    """Goes along one tenant's rows, which come by link; `sealed_at` is an instant in UTC as text."""

    def __init__(self, head: Head, sealed_at: str) -> None:
        self._tenant = head.tenant
        self._sealed = head.chain
        self._sealed_at = sealed_at
        self._whole = False
        self._replaced = False
        self._end = 0
        self._kept: Counter[str] = Counter()
        self._last: Entry | None = None
        self._last_seq = 0

    def take(self, entry: Entry) -> None:
        """Go to the next link."""
        self._end = max(self._end, entry.link or 0)
        if self._end > self._sealed.length:
            return
        self._whole = (entry.link, entry.link_hash) == (self._sealed.length, self._sealed.head)
        self._replaced = self._replaced or _recorded(entry) > self._sealed_at.removesuffix("Z")
        if not self._replaced:
            self._kept[entry.fields["table"]] += 1
            self._last, self._last_seq = entry, entry.seq or self._last_seq

    def flaws(self, chain: Chain | None, *, has_row: bool, found: Collection[Flaw]) -> Iterator[Flaw]:
        """What was lost, when all rows were taken, beside what was `found` without the seal.

        `chain` is the end that the ledger keeps, `has_row` whether the tenant has its own row.
        """
        if not self._whole:
            yield from self._lost(chain, found)
        if self._tenant is not None and not has_row and all(flaw.table != _TENANTS for flaw in found):
            yield Flaw(What.DELETED, _TENANTS, None, None, self._reason)

    @property
    def _reason(self) -> str:
        return f"it was there when the ledger was sealed at {self._sealed_at}"

    def _lost(self, chain: Chain | None, found: Collection[Flaw]) -> Iterator[Flaw]:
        """Links that are missing, or the last one of another chain.

        A row that has a sealed number and was recorded after the seal took the place of one that was lost, as after
        the restore of a backup: from there on the sealed rows are gone.
        """
        last, sealed = self._last, self._sealed
        link = 0 if last is None or last.link is None else last.link
        if last is not None and link == sealed.length:
            if all(flaw.link != link for flaw in found):
                reason = f"the chain up to here is not the one that was sealed at {self._sealed_at}"
                yield Flaw(What.REWRITTEN, last.fields["table"], last.seq, link, reason)
        elif self._replaced or (chain is None and self._end < sealed.length):
            yield from self._after(Chain(link, b"", self._kept), self._last_seq)
        elif chain is not None and chain.length < sealed.length:
            # Up to its own end the chain itself tells what is missing.
            rows = {table: max(number, self._kept[table]) for table, number in {**self._kept, **chain.rows}.items()}
            yield from self._after(Chain(max(chain.length, link), b"", rows), max(chain.events, self._last_seq))

    def _after(self, left: Chain, last_seq: int) -> Iterator[Flaw]:
        """The sealed rows beyond an end."""
        sealed = self._sealed
        gap = Gap(range(left.length + 1, sealed.length + 1), range(last_seq + 1, sealed.events + 1))
        short = {table: number - left.rows.get(table, 0) for table, number in sealed.rows.items()}
        return missing_rows(gap, What.TRUNCATED, short, self._reason)


def _recorded(entry: Entry) -> str:
    """When a row was recorded, in UTC; texts of this form sort as the instants follow each other."""
    return entry.fields.get("recorded_at", "").removesuffix("+00:00")
