"""The metrics of what the ledger's database knows: seams of histories, what the latest check found, parked invoices."""

from contextlib import suppress

from pieced_billing.errors import Refused, Unavailable
from pieced_operator import metrics
from pieced_operator.ledger_reader import LedgerReader


async def tell_of_the_ledger(ledger: LedgerReader) -> None:
    """Set the metrics; they stay as they were where its database is away."""
    with suppress(Refused, Unavailable):
        for reason, count in (await ledger.seams()).items():
            metrics.DISCONTINUITIES.labels(reason).set(count)
        if (check := await ledger.latest_check()) is not None:
            metrics.LEDGER_CHECKED.set(check.checked_at.timestamp())
            for kind, count in check.counts.items():
                metrics.LEDGER_DISCREPANCIES.labels(kind).set(count)
        metrics.INVOICES_PARKED.set(await ledger.parked_invoices())
