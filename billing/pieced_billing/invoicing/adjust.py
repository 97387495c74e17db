"""The adjustments of organisations: finalised periods to which something came late, recomputed and compared."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.invoicing.adjustments import Adjustment, Bill, adjustments
from pieced_billing.invoicing.bills import Bills
from pieced_billing.invoicing.carried import Carried
from pieced_billing.invoicing.late import ToReadAgain, billed_lines, late
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.ledger.read import histories_of
from pieced_billing.parties.terms import UNCONFIGURED, PartyTerms
from pieced_billing.rating.charges import rate
from pieced_billing.rating.lines import Line
from pieced_billing.rating.tenant_month import tenant_month
from pieced_billing.store.connections import Connection

_TAKEN_BACK = """
SELECT bill.id, bill.number, tenant.zitadel_org_id, tenant.tenant_uid FROM tenant_billing_lifecycle AS tenant
    JOIN invoice_lines AS line ON line.tenant_uid = tenant.tenant_uid
        AND line.adjusts IS NOT NULL AND line.adjusted_period = %s
    JOIN invoices AS bill ON bill.id = line.original_invoice_id
WHERE tenant.zitadel_org_id = ANY(%s)
GROUP BY 1, 3, 4 ORDER BY 1, 4
"""


class Compared(NamedTuple):
    """By organisation what its bill has to put right, and all tenant UIDs that were looked at for it."""

    adjustments: Mapping[str, list[Adjustment]]
    uids: Mapping[str, set[str]]


def load_adjustments(
    connection: Connection,
    month: Month,
    orgs: Sequence[str],
    terms: Mapping[str, PartyTerms],
    bills: Mapping[str, Bills],
    carried: Carried,
) -> Compared:
    """What the bills of a month have to put right of other months, by organisation; nothing where its bill stands.

    Where a month is billed again after a full credit, or was carried, what bills that stand have adjusted in it is
    taken back: the new bill has all of it in lines of its own.
    """
    found: defaultdict[str, list[Adjustment]] = defaultdict(list)
    to_bill = [org for org in orgs if org not in bills or not bills[org].stands]
    to_read = sorted(late(connection, to_bill), key=_month)
    for of_month, late_ones in groupby(to_read, key=_month):
        entries = list(late_ones)
        correct = _correct(connection, of_month, [one.uid for one in entries], terms)
        _compare(connection, of_month, entries, correct, found)
    again = {month: [org for org in to_bill if org in bills]}
    for org in to_bill:
        for one in carried.get(org, ()):
            again.setdefault(one.month, []).append(org)
    for of_month, chosen in again.items():
        rows = connection.execute(_TAKEN_BACK, [of_month.first, chosen]).fetchall() if chosen else []
        entries = [ToReadAgain(Bill(invoice_id, number, of_month), org, uid) for invoice_id, number, org, uid in rows]
        _compare(connection, of_month, entries, {}, found)
    looked_at: defaultdict[str, set[str]] = defaultdict(set)
    for entry in to_read:
        looked_at[entry.org].add(entry.uid)
    return Compared(found, looked_at)


def _month(one: ToReadAgain) -> Month:
    return one.bill.month


def _correct(
    connection: Connection, month: Month, uids: Sequence[str], terms: Mapping[str, PartyTerms]
) -> Mapping[str, list[Line]]:
    """The lines of a month as they should be, by UID."""
    billing_month = load_billing_month(connection, month)
    days, until = billing_month.days, billing_month.until
    read = list(histories_of(connection, days, until, uids))
    return {
        history.uid: rate(
            tenant_month(history, days, until, billing_month.billed),
            billing_month.tariff(terms.get(org, UNCONFIGURED)),
        )
        for org, history in read
    }


def _compare(
    connection: Connection,
    month: Month,
    entries: Sequence[ToReadAgain],
    correct: Mapping[str, list[Line]],
    found: defaultdict[str, list[Adjustment]],
) -> None:
    """Add the differences of a month to what is found by organisation."""
    if not entries:
        return
    bills = {entry.bill.invoice_id for entry in entries}
    billed = billed_lines(connection, month, bills, [entry.uid for entry in entries])
    for entry in entries:
        lines = adjustments(entry.bill, billed.get(entry.uid, []), correct.get(entry.uid, []))
        found[entry.org].extend(lines)
