"""The ledger's tables, brought up to date when the operator starts and its database answers."""

import asyncio
from typing import Final

import structlog

from pieced_billing.errors import Unavailable
from pieced_billing.store.connections import Urls, connect, outages
from pieced_billing.store.revisions import current, head, require_current

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 1.0


async def migrated(urls: Urls, *, upgrade: bool) -> None:
    """Return once the tables are those of this program; Refused when they cannot be, or may not be upgraded here.

    An outage is waited for: the work on Kubernetes goes on meanwhile.
    """
    while True:
        try:
            await asyncio.to_thread(_migrate, urls, upgrade=upgrade)
        except Unavailable as error:
            log.warning("ledger waits for its database", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def _migrate(urls: Urls, *, upgrade: bool) -> None:
    with outages(), connect(urls.application) as connection:
        if not upgrade:
            require_current(connection)
        if current(connection) == head():
            return
    from pieced_billing.store.upgrade import upgrade as bring_up_to_date  # noqa: PLC0415 - 40 MB, needed once

    done = bring_up_to_date(urls)
    log.info("ledger upgraded", before=done.before, now=done.now)
