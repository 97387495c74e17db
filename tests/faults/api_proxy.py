"""Between the operator and the API server: a proxy that can cut, forget, lag and show another time."""

import asyncio
import base64
import email.utils
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from aiohttp import web

from tests.faults.loop_thread import LoopThread

TENANTS: Final = "/apis/pieced.ch/v1alpha1/piecedtenants"
_GONE: Final = (
    b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
    b'"message":"too old resource version","reason":"Expired","code":410}}\n'
)
_NOT_FORWARDED: Final = {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding"}
_NOT_RETURNED: Final = {"Content-Length", "Transfer-Encoding", "Connection", "Content-Encoding"}


class ApiProxy:
    """Forwards every request, in plain HTTP on one side and as the same user on the other."""

    def __init__(self, upstream: str, authority: str) -> None:
        self.port = 0
        self.clock_ahead = timedelta()
        """How far the API server's clock seems to be ahead of what it is."""
        self._upstream = upstream
        self._tls = ssl.create_default_context(cadata=authority)
        self._refusing = False
        self._lists: dict[str, dict[str, str]] = {}
        self._lagging: dict[str, bytes] = {}
        self._open: set[asyncio.Task[Any]] = set()
        self._watching: set[asyncio.Queue[bytes | None]] = set()
        self._session: aiohttp.ClientSession
        self._runner: web.AppRunner

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),
            timeout=aiohttp.ClientTimeout(sock_connect=5),
        )
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.cut()
        await self._runner.cleanup()
        await self._session.close()

    async def cut(self) -> None:
        """End every connection at once; new ones are taken."""
        for task in tuple(self._open):
            task.cancel()

    async def refuse(self, yes: bool) -> None:
        """Answer nobody, or everybody again."""
        self._refusing = yes
        if yes:
            await self.cut()

    async def expire_watches(self) -> None:
        """Tell every watch of tenants that its version is too old."""
        for queue in self._watching:
            queue.put_nowait(None)

    async def lag(self, yes: bool) -> None:
        """Answer every list of tenants as it is answered now, for as long as it lasts; then truthfully again."""
        self._lagging = {}
        if yes:
            lagging = {}
            for url, headers in self._lists.items():
                async with self._session.get(self._upstream + url, headers=headers) as answer:
                    lagging[url] = await answer.read()
            self._lagging = lagging

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if self._refusing:
                raise ConnectionResetError
            return await self._forward(request)
        except (aiohttp.ClientError, OSError, asyncio.CancelledError):
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError from None  # which the server says nothing about
        finally:
            self._open.discard(task)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        url = request.rel_url.raw_path_qs
        if url in self._lagging:
            return web.Response(body=self._lagging[url], content_type="application/json")
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_FORWARDED}
        async with self._session.request(
            request.method,
            self._upstream + url,
            headers=headers,
            data=await request.read() or None,
            allow_redirects=False,
        ) as answer:
            if "watch" in request.query:
                return await self._stream(request, answer)
            if request.method == "GET" and request.path == TENANTS:
                self._lists[url] = headers
            return web.Response(status=answer.status, headers=self._headers(answer), body=await answer.read())

    async def _stream(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=self._headers(answer))
        await response.prepare(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        if request.path == TENANTS:
            self._watching.add(queue)
        reading = asyncio.create_task(_read(answer, queue))
        try:
            while chunk := await queue.get():
                await response.write(chunk)
            if not reading.done():
                await response.write(_GONE)
        finally:
            self._watching.discard(queue)
            reading.cancel()
        return response

    def _headers(self, answer: aiohttp.ClientResponse) -> dict[str, str]:
        headers = {name: value for name, value in answer.headers.items() if name not in _NOT_RETURNED}
        if self.clock_ahead:
            seen = email.utils.parsedate_to_datetime(headers["Date"]) + self.clock_ahead
            headers["Date"] = email.utils.format_datetime(seen, usegmt=True)
        return headers


async def _read(answer: aiohttp.ClientResponse, queue: "asyncio.Queue[bytes | None]") -> None:
    try:
        async for chunk in answer.content.iter_any():
            queue.put_nowait(chunk)
    except (aiohttp.ClientError, OSError):
        pass  # the end of the stream, as for the reader
    finally:
        queue.put_nowait(b"")


@contextmanager
def api_proxy(loop: LoopThread, kubeconfig: Path, written: Path) -> Iterator[ApiProxy]:
    """A proxy to the cluster of a kubeconfig; writes the one that leads through it."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    proxy = ApiProxy(cluster["server"], base64.b64decode(cluster["certificate-authority-data"]).decode())
    loop.run(proxy.start())
    try:
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{proxy.port}"}
        written.write_text(yaml.safe_dump(config))
        yield proxy
    finally:
        loop.run(proxy.stop())
