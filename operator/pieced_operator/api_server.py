"""HTTP with one API server: one pool of connections, a login that is renewed, errors in our terms."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self

import aiohttp

from pieced_billing import faults
from pieced_billing.errors import Unavailable
from pieced_operator import metrics
from pieced_operator.api_errors import error_of
from pieced_operator.clock import ApiClock
from pieced_operator.login import Login
from pieced_operator.names import FIELD_MANAGER

REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=10)
_CONNECTIONS: Final = 48
# As Kubernetes' own controllers ask: beside the API server, compression costs more than it saves.
_UNCOMPRESSED: Final = "identity"


class ApiServer:
    """The requests of one event loop to one API server; an async context manager. Each answer teaches the clock."""

    def __init__(self, login: Login, clock: ApiClock) -> None:
        self._clock = clock
        self._login = login
        info = login()
        self._server = info.server.rstrip("/")
        self._tls = info.as_ssl_context()
        self._proxy = info.proxy_url
        self._credentials = info.as_http_headers()
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._tls),
            headers={"User-Agent": FIELD_MANAGER, "Accept-Encoding": _UNCOMPRESSED},
            proxy=self._proxy,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @asynccontextmanager
    async def answer(
        self,
        verb: str,
        path: str,
        content: bytes | None = None,
        content_type: str | None = None,
        query: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = REQUEST_TIMEOUT,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer if it is a good one; a token that has expired is read again, once.

        Raises ApiRefused (or one of its kinds) when the API server says no and Unavailable when it does not answer.
        """
        headers = {} if content_type is None else {"Content-Type": content_type}
        if verb == "GET":
            faults.point("api.before_read")
        try:
            for retry_unauthorized in (True, False):
                asked_at = time.monotonic()
                async with self._session.request(
                    verb,
                    self._server + path,
                    data=content,
                    params=query,
                    headers=headers | self._credentials,
                    timeout=timeout,
                ) as response:
                    metrics.API_REQUESTS.labels(verb, str(response.status)).inc()
                    if date := response.headers.get("Date"):
                        self._clock.learn(asked_at, time.monotonic(), date)
                    if response.status == 401 and retry_unauthorized:
                        self._credentials = self._login().as_http_headers()
                        continue
                    if response.status >= 400:
                        raise error_of(response.status, await response.read())
                    yield response
                    return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            metrics.API_REQUESTS.labels(verb, "none").inc()
            raise Unavailable(f"The API server does not answer: {str(error) or type(error).__name__}.") from error
