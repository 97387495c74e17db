"""Whether the amount of a draft is one that its organisation is used to; a mistake in what was recorded shows there."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.invoicing.draft import Draft
from pieced_billing.store.connections import Connection

_MEANS: Final = """
SELECT zitadel_org_id, avg(gross) FROM (
    SELECT zitadel_org_id, gross, row_number() OVER (PARTITION BY zitadel_org_id ORDER BY period_start DESC) AS place
    FROM invoices AS bill
    WHERE zitadel_org_id = ANY(%s) AND period_start < %s AND credits IS NULL
        AND NOT EXISTS (SELECT FROM invoices AS credit WHERE credit.credits = bill.id AND credit.completes)) AS bills
WHERE place <= 3 GROUP BY zitadel_org_id
"""


class AmountUnusual(Refused):
    """A draft far above what the organisation paid lately; somebody has to look at it."""

    code: ClassVar[str] = "amount_unusual"

    def __init__(self, draft: Draft, mean: Decimal, factor: Decimal) -> None:
        super().__init__(
            f"The draft of {draft.month} is CHF {draft.gross:.2f}, more than {factor.normalize():f} times the mean of "
            f"the last finalised months (CHF {mean:.2f}); if it is right, run it with --confirm."
        )


def refuse_unusual(draft: Draft, mean: Decimal | None, factor: Decimal) -> None:
    """Raise AmountUnusual for a draft above `factor` times the mean; without one, or of nothing, there is no bound."""
    if mean is not None and mean > 0 and draft.gross > mean * factor:
        raise AmountUnusual(draft, mean, factor)


def mean_bills(connection: Connection, month: Month, orgs: Sequence[str]) -> dict[str, Decimal]:
    """The mean of the last three bills before a month, or of those that there are, by organisation; CHF with VAT."""
    return dict(connection.execute(_MEANS, [list(orgs), month.first]).fetchall())
