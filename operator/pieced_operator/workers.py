"""The workers of the reconcile queues: one key at a time each, and no key's trouble is another's."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator import metrics
from pieced_operator.api_errors import ApiRefused, Conflict
from pieced_operator.workqueue import WorkQueue

log = structlog.get_logger(__name__)

Round = Callable[[str], Awaitable[float | None]]
"""One round of work on a key; gives the seconds until the next is due, if one is."""


async def work_forever(queue: WorkQueue[str], work: Round) -> None:
    """Work on one key after another until cancelled."""
    while True:
        key = await queue.take()
        began_at = time.monotonic()
        outcome = "error"
        try:
            due_in_seconds = await work(key)
        except (
            Conflict
        ) as error:  # somebody else was faster, or the time has not come; the latest state is looked at again
            log.debug("tried again", key=key, error=str(error))
            queue.failed(key)
            outcome = "conflict"
        except (ApiRefused, Unavailable) as error:
            log.warning("tried again", key=key, error=str(error))
            metrics.ERRORS.labels("reconcile").inc()
            queue.failed(key)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("reconcile failed", key=key)
            metrics.ERRORS.labels("defect").inc()
            queue.failed(key)
        else:
            queue.done(key)
            outcome = "ok"
            if due_in_seconds is not None:
                queue.add_after(key, due_in_seconds)
        metrics.RECONCILES.labels(outcome).inc()
        metrics.RECONCILE_SECONDS.observe(time.monotonic() - began_at)
