"""What the bills of some organisations are made from: each tenant as its chain had it at one link, and nothing later.

By that link a bill can be computed again. What is recorded while facts are read would be in some of them and not in
others; the organisations that it is about are read again, while nothing more can be recorded of them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from pieced_billing.invoicing.adjust import load_adjustments
from pieced_billing.invoicing.adjustments import Adjustment
from pieced_billing.invoicing.bills import Bills
from pieced_billing.invoicing.carried import Carried, load_carried
from pieced_billing.invoicing.chain_ends import chain_ends, went_on
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.invoicing.proof import ChainEnd
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.read import histories
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.store.connections import Connection


class Facts(NamedTuple):
    """By tenant UID up to where its chain was read; by organisation its tenants, and what its bill has beside them.

    `compared` are the tenants of an organisation of which something late was looked at for that.
    """

    ends: Mapping[str, ChainEnd]
    tenants: Mapping[str, Sequence[TenantHistory]]
    adjusted: Mapping[str, Sequence[Adjustment]]
    carried: Carried
    compared: Mapping[str, Collection[str]]

    def compared_to(self, org: str) -> Mapping[str, int]:
        """Up to where the chains of these tenants were read."""
        return {uid: self.ends[uid].links for uid in self.compared.get(org, ()) if uid in self.ends}


def load_facts(
    connection: Connection,
    month: BillingMonth,
    orgs: Sequence[str],
    terms: Mapping[str, PartyTerms],
    bills: Mapping[str, Bills],
) -> Facts:
    """The facts of a month, and of what came late to months before; the caller notices what is issued meanwhile."""
    facts = _read(connection, month, orgs, terms, bills)
    while again := went_on(connection, orgs, facts.ends):
        newer = _read(connection, month, again, terms, bills, hold=True)
        kept = {org: lines for org, lines in facts.adjusted.items() if org not in again}
        facts = Facts(
            {**facts.ends, **newer.ends},
            {**facts.tenants, **newer.tenants},
            {**kept, **newer.adjusted},
            {**facts.carried, **newer.carried},
            {**facts.compared, **newer.compared},
        )
    return facts


def _read(
    connection: Connection,
    month: BillingMonth,
    orgs: Sequence[str],
    terms: Mapping[str, PartyTerms],
    bills: Mapping[str, Bills],
    *,
    hold: bool = False,
) -> Facts:
    ends = chain_ends(connection, orgs, hold=hold)
    carried = load_carried(connection, month.days.month, orgs, terms)
    found = load_adjustments(connection, month.days.month, orgs, terms, bills, carried)
    tenants = dict(histories(connection, month.days, month.until, orgs))
    return Facts(ends, tenants, found.adjustments, carried, found.uids)
