"""Waiting for what does not answer yet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from pieced_billing.errors import Unavailable
from pieced_operator.api_errors import ApiRefused

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 1.0

Answer = TypeVar("Answer")


async def until_answered(what: str, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """Try once a second until the API server answers and accepts; `what` says in the log what is waited for."""
    while True:
        try:
            return await attempt()
        except (ApiRefused, Unavailable) as error:
            log.warning("waiting", what=what, error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
