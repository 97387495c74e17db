"""The facts of one tenant UID, link by link: what of them was known at any link of its chain. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pieced_billing.calendar import Microseconds, MonthDays, to_microseconds
from pieced_billing.invoicing.proof import ChainEnd
from pieced_billing.ledger.chain import BEFORE_FIRST, Chain, Entry, link_hash
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.history import TenantHistory

_SWITCHES = frozenset(Kind) - {Kind.CREATED, Kind.DELETED}


class Row(NamedTuple):
    """What the row of a tenant says of its beginning: believed of a tenant of which there is no event."""

    tenant: str
    created_at: Microseconds
    deleted_at: Microseconds | None


class _Life(NamedTuple):
    link: int
    at: Microseconds
    tenant: str


class TenantFacts:
    """What was recorded of a tenant UID, by the links of its chain, which is computed anew from the rows."""

    def __init__(self, uid: str, row: Row | None) -> None:
        self.uid = uid
        self.whole = True
        """Whether each row follows from the one before it, and says so."""
        self._row = row
        self._created: _Life | None = None
        self._deleted: _Life | None = None
        self._moments: list[tuple[int, tuple[Microseconds, int, str, str]]] = []
        self._usage: list[tuple[int, tuple[Microseconds, str, Decimal]]] = []
        self._instants: list[tuple[int, Microseconds]] = []
        self._last: tuple[int, bytes, int] = ChainEnd()
        self._ends: dict[int, tuple[int, bytes, int]] = {0: self._last}
        self._recorded: list[str] = []
        self._tables: Counter[str] = Counter()

    def take(self, entry: Entry) -> None:
        """Go to the next row; rows come by link, those without one last."""
        link, fields = entry.link, entry.fields
        if link is None:
            self.whole = False
            return
        links, head, last_seq = self._last
        head = link_hash(head, entry.content)
        if link != links + 1 or head != entry.link_hash:
            self.whole = False
        seq = entry.seq
        self._last = self._ends[link] = link, head, last_seq if seq is None else max(seq, last_seq)
        self._tables[fields["table"]] += 1
        self._recorded.append(fields["recorded_at"])
        if seq is not None or "meter" in fields:
            self._keep(link, fields, seq)

    def agrees(self, chain: Chain | None) -> bool:
        """Whether the rows are a chain, and the one of which the ledger keeps this end."""
        length, head, rows = Chain(0, BEFORE_FIRST, {}) if chain is None else chain
        return self.whole and (*self._last[:2], self._tables) == (length, head, rows)

    def end_at(self, links: int) -> ChainEnd:
        """The end of the chain that has so many links, as the rows give it; of fewer where it has not so many."""
        return ChainEnd(*self._ends.get(links, self._last))

    def known_at(self, at: str) -> int:
        """How many links were recorded until an instant (UTC as text without an offset)."""
        return sum(1 for recorded in self._recorded if recorded.removesuffix("+00:00") <= at)

    def instants_between(self, after: int, until: int) -> Iterable[Microseconds]:
        """When what was linked after a link, until another one, happened."""
        return [at for link, at in self._instants if after < link <= until]

    def history(self, links: int, days: MonthDays) -> TenantHistory | None:
        """What a bill of a month that is over knew of the tenant at a link; None if it had nothing to do with it."""
        created, deleted = self._life(links)
        start, end = days.start, days.end
        usage = [used for link, used in self._usage if link <= links and start <= used[0] < end]
        if created is None or not (usage or (created.at < end and (deleted is None or deleted > start))):
            return None
        moments = [moment for link, moment in self._moments if link <= links and moment[0] < end]
        return TenantHistory(self.uid, created.tenant, created.at, deleted, moments, usage)

    def _life(self, links: int) -> tuple[_Life | None, Microseconds | None]:
        if self._created is None:
            row = self._row
            return (None, None) if row is None else (_Life(0, row.created_at, row.tenant), row.deleted_at)
        known = self._created if self._created.link <= links else None
        deleted = self._deleted
        return known, None if deleted is None or deleted.link > links else deleted.at

    def _keep(self, link: int, fields: dict[str, str], seq: int | None) -> None:
        at = to_microseconds(datetime.fromisoformat(fields["occurred_at"]))
        self._instants.append((link, at))
        if seq is None:
            quantity = Decimal(fields["quantity"])
            if quantity:
                self._usage.append((link, (at, fields["meter"], quantity)))
            return
        kind = fields["event_kind"]
        if kind in _SWITCHES:
            self._moments.append((link, (at, seq, kind, fields.get("skill_id", ""))))
        elif kind == Kind.CREATED:
            self._created = _Life(link, at, fields["tenant_name"])
        elif kind == Kind.DELETED:
            self._deleted = _Life(link, at, fields["tenant_name"])
