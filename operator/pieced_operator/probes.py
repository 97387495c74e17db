"""What the kubelet and Prometheus ask: /healthz, /readyz and /metrics, on one port.

Live means that no loop has fallen silent. Ready means that the API server serves our kinds: a replica that waits for
the Lease is ready to take over. Neither depends on the database: restarting us would not mend it, the work on
Kubernetes goes on without it, and an alert on the ledger's metrics says so.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pieced_billing.errors import UsageError
from pieced_operator.heartbeat import Heartbeat

log = structlog.get_logger(__name__)


class Probes:
    """The three pages. `ready` is set once the API server serves our kinds; `refresh_metrics` runs before a scrape."""

    def __init__(self) -> None:
        self.ready = False
        self.refresh_metrics: Callable[[], None] | None = None

    @asynccontextmanager
    async def serve(self, host: str, port: int, heart: Heartbeat) -> AsyncIterator[None]:
        """Serve for as long as the context lasts; port 0 takes a free one. UsageError when the address is taken."""

        async def healthz(_: web.Request) -> web.Response:
            silent = heart.silent()
            return web.Response(status=500, text=f"silent: {', '.join(silent)}") if silent else web.Response(text="ok")

        async def readyz(_: web.Request) -> web.Response:
            return web.Response(text="ok") if self.ready else web.Response(status=503, text="starting")

        async def scrape(_: web.Request) -> web.Response:
            if self.refresh_metrics is not None:
                self.refresh_metrics()
            return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

        application = web.Application()
        application.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", scrape)])
        runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise UsageError(f"--listen {host}:{port} cannot be used: {error.strerror or error}.") from None
            log.info("serving probes and metrics", address=f"{host}:{runner.addresses[0][1]}")
            yield
        finally:
            await runner.cleanup()
