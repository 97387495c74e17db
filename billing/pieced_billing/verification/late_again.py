"""What came late to each bill, found again: the adjustments that it had to have (rule 17)."""

from collections.abc import Iterator, Mapping, Sequence

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import KIND, Adjustment, Bill, BilledLine, adjustments
from pieced_billing.parties.terms import UNCONFIGURED, PartyTerms
from pieced_billing.rating.charges import rate
from pieced_billing.rating.lines import Line
from pieced_billing.rating.tenant_month import tenant_month
from pieced_billing.verification.documents import Then
from pieced_billing.verification.reissued import Pair, Reissued
from pieced_billing.verification.tenant_facts import TenantFacts
from pieced_billing.verification.then import Months


class LateAgain:
    """Goes along the bills of one organisation and remembers how far each tenant was read by the one before."""

    def __init__(self, reissued: Reissued, facts: Mapping[str, TenantFacts], months: Months) -> None:
        self._reissued = reissued
        self._facts = facts
        self._months = months
        self._read: dict[str, int] = {}
        self._pending: set[tuple[Month, str]] = set()

    def credited(self, invoice_id: int) -> None:
        """A bill was taken back in full: what it put right of other periods has to be looked at again."""
        pair = self._reissued.by_id[invoice_id]
        self._pending.update((month, one.line.uid) for month, one in pair.billed() if month != pair.invoice.month)

    def adjustments(self, then: Then, terms: PartyTerms | None, again: Sequence[Month]) -> list[Adjustment]:
        """What a bill has to put right of other bills; `again` are months of it that may have been billed before."""
        standing = {month: one for one in self._reissued.standing() for month in one.months()}
        self._look_at(standing, then)
        found: list[Adjustment] = []
        for of_month, uid in sorted(self._pending):
            if uid in then.links:
                self._pending.discard((of_month, uid))
                if (one := standing.get(of_month)) is not None:
                    correct = self._correct(of_month, uid, then, terms)
                    bill = Bill(one.document.id, one.document.number, of_month)
                    found += adjustments(bill, self._billed(of_month, uid, one), correct)
        for month in again:
            for bill, uid in self._adjusted(month):
                found += adjustments(bill, self._billed(month, uid, None), [])
        return found

    def _look_at(self, standing: Mapping[Month, Pair], then: Then) -> None:
        """Note the periods that something has happened in that the bill before did not know."""
        ends = {month: self._months.then(month, then).days.end for month in standing}
        latest = max(ends.values(), default=0)
        for uid, links in then.links.items():
            before = self._read.get(uid, 0)
            self._read[uid] = max(before, links)
            if not ends:
                continue
            instants = [at for at in self._facts[uid].instants_between(before, links) if at < latest]
            if instants:
                first = min(instants)
                self._pending.update((month, uid) for month, end in ends.items() if first < end)

    def _correct(self, month: Month, uid: str, then: Then, terms: PartyTerms | None) -> list[Line]:
        billing_month = self._months.then(month, then)
        history = self._facts[uid].history(then.links[uid], billing_month.days)
        if history is None:
            return []
        counted = tenant_month(history, billing_month.days, billing_month.until, billing_month.billed)
        return rate(counted, billing_month.tariff(terms or UNCONFIGURED))

    def _billed(self, month: Month, uid: str, bill: Pair | None) -> list[BilledLine]:
        """What the bill of a month says of a UID, and what bills that stand have adjusted of it since."""
        found = []
        for pair in self._reissued.standing():
            for of_month, one in pair.billed():
                adjusts = one.line.kind == KIND
                if one.line.uid == uid and of_month == month and (adjusts or pair is bill):
                    found.append(one)
        return found

    def _adjusted(self, month: Month) -> Iterator[tuple[Bill, str]]:
        """Which bills of a month were ever adjusted, and of which UIDs."""
        pairs = {
            (adjustment.bill, adjustment.line.uid)
            for one in self._reissued.bills()
            for adjustment in one.invoice.adjustments.values()
            if adjustment.bill.month == month
        }
        return iter(sorted(pairs, key=lambda pair: (pair[0].invoice_id, pair[1])))
