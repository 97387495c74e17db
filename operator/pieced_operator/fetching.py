"""Reading a tenant anew while its row in the ledger is locked: for a writer's thread, by the event loop."""

import asyncio
import time
from typing import Final

from pieced_billing.ledger.observation import Observation
from pieced_billing.ledger.observe import FetchAgain
from pieced_operator import paths
from pieced_operator.api_errors import NotFound
from pieced_operator.cluster import Cluster
from pieced_operator.inbox import Inbox

_FETCH_SECONDS: Final = 8.0  # less than a database session may idle with a row locked


def fetching(cluster: Cluster, inbox: Inbox, loop: asyncio.AbstractEventLoop, uid: str) -> FetchAgain:
    """What `observe` calls where a version contradicts the ledger: it reads the tenant of this uid in `loop`."""
    return lambda: asyncio.run_coroutine_threadsafe(_fetch(cluster, inbox, uid), loop).result(_FETCH_SECONDS)


async def _fetch(cluster: Cluster, inbox: Inbox, uid: str) -> Observation | None:
    known = inbox.tenants.get(uid)
    if known is None:
        return None
    asked_at = time.monotonic()
    try:
        found = await cluster.get(paths.tenant(known.version.name))
    except NotFound:
        return None
    return inbox.read_again(known, found, asked_at)
