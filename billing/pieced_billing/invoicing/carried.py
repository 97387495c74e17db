"""Months that were too small to be billed: carried on, and drafted anew for the next bill."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from pieced_billing.calendar import Month, MonthDays
from pieced_billing.invoicing.adjustments import KIND
from pieced_billing.invoicing.document import Invoice, Kind
from pieced_billing.invoicing.draft import Draft, draft, is_carried_line
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.read import histories
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.store.connections import Connection

Carried: TypeAlias = Mapping[str, Sequence[Draft]]
"""By organisation the drafts of the months that its next bill has beside its own, ascending."""

_CARRIED: Final = """
SELECT zitadel_org_id, period_start FROM invoice_status
WHERE status = 'carried' AND zitadel_org_id = ANY(%(orgs)s) AND period_start < %(month)s
UNION
SELECT carried.zitadel_org_id, carried.period_start FROM carried_periods AS carried
    JOIN invoices AS bill ON bill.id = carried.invoice_id AND bill.period_start = %(month)s
WHERE carried.zitadel_org_id = ANY(%(orgs)s)
    AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes)
"""


def is_carried(invoice: Invoice, tenants: Iterable[TenantHistory], days: MonthDays) -> bool:
    """Whether a bill waits for the next: an invoice below its issuer's minimum.

    A credit note never waits, nor does what was billed before and credited in full, nor the bill of an organisation of
    whose tenants none lives at the end of the month: there may be no next one.
    """
    if invoice.kind is Kind.CREDIT_NOTE or invoice.revision > 1 or invoice.gross >= invoice.issued_by.minimum_amount:
        return False
    return any(tenant.deleted_at is None or tenant.deleted_at > days.end for tenant in tenants)


def has_own_lines(invoice: Invoice) -> bool:
    """Whether a bill has something of its own month, beside what waited before and what it puts right."""
    return any(line.kind != KIND and not is_carried_line(line, invoice.month) for line in invoice.lines)


def load_carried(connection: Connection, month: Month, orgs: Sequence[str], terms: Mapping[str, PartyTerms]) -> Carried:
    """What the bills of a month have beside it: every month before that was carried and is on no bill that stands.

    Where the month's bill stands, what that one has beside it. Each is drafted as events, usage and prices are now.
    """
    by_month: defaultdict[Month, list[str]] = defaultdict(list)
    for org, period in connection.execute(_CARRIED, {"orgs": list(orgs), "month": month.first}).fetchall():
        by_month[Month.of(period)].append(org)
    found: defaultdict[str, list[Draft]] = defaultdict(list)
    for of_month, chosen in sorted(by_month.items()):
        billing_month = load_billing_month(connection, of_month)
        for org, tenants in histories(connection, billing_month.days, billing_month.until, chosen):
            found[org].append(draft(billing_month, org, tenants, terms.get(org)))
    return found
