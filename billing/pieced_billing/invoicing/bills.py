"""Which periods have a bill, and which of them were credited in full and may be billed again."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.store.connections import Connection

_BILLS: Final = """
SELECT zitadel_org_id, max(revision),
       NOT bool_and(EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bills.id AND credit.completes))
FROM (
    SELECT id, zitadel_org_id, revision FROM invoices
    WHERE credits IS NULL AND period_start = %(month)s AND zitadel_org_id = ANY(%(orgs)s)
    UNION ALL
    SELECT invoice_id, zitadel_org_id, 0 FROM carried_periods
    WHERE period_start = %(month)s AND zitadel_org_id = ANY(%(orgs)s)) AS bills
GROUP BY zitadel_org_id
"""

_DECISIONS: Final = """
SELECT count(*), count(credit.id), (SELECT count(*) FROM invoice_run_outcomes WHERE zitadel_org_id = ANY(%(orgs)s))
FROM invoices AS bill LEFT JOIN invoices AS credit ON credit.credits = bill.id
WHERE bill.credits IS NULL AND bill.zitadel_org_id = ANY(%(orgs)s)
"""


class Bills(NamedTuple):
    """The revision of an organisation's last bill of a period, and whether the period is on a bill that stands.

    The revision is 0 where the period was on bills of later periods only.
    """

    revision: int
    stands: bool


def load_bills(connection: Connection, month: Month, orgs: Sequence[str]) -> dict[str, Bills]:
    """The bills of a month, by organisation; one without any is left out."""
    rows = connection.execute(_BILLS, {"month": month.first, "orgs": list(orgs)})
    return {org: Bills(revision, stands) for org, revision, stands in rows}


def count_decisions(connection: Connection, orgs: Sequence[str]) -> tuple[int, int, int]:
    """How many bills, credit notes and months without a bill these organisations have, of any period.

    Other numbers, once there is another; of what others decide a draft depends on nothing else: as long as they stay
    the same, it is right.
    """
    row = connection.execute(_DECISIONS, {"orgs": list(orgs)}).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
