"""kopf, used for what it is best at: watching tenants and packages and handing over every version in order."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final

import kopf

from pieced_billing.errors import Unavailable
from pieced_operator.cluster import Resource
from pieced_operator.login import Login
from pieced_operator.names import GROUP, PACKAGE_PLURAL, TENANT_PLURAL, VERSION

_BACKOFFS: Final = (0.2, 0.5, 1, 2, 5, *[10] * 360)
"""Seconds between attempts of a request: an API server that is away for an hour is waited for."""

Take = Callable[[Resource, bool, float | None], None]
"""Takes in (object, gone, asked_at): `asked_at` is a monotonic instant before the list that the object comes from, None
for a version that was delivered as it was written."""


class KopfEnded(Unavailable):
    """kopf does not watch any more, and cannot be told to; the operator has to begin anew."""

    def __init__(self, failure: BaseException | None) -> None:
        super().__init__(f"kopf has ended: {failure or 'nobody asked it to'}.")


class _Stop:
    """Ends kopf from another thread, by an event of kopf's own loop.

    A threading.Event would be waited for in a thread that nobody ends when kopf dies by itself, and kopf with it.
    """

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def begin(self) -> asyncio.Event:
        """In kopf's loop: the event that will be set."""
        self._loop = asyncio.get_running_loop()
        if self._wanted.is_set():
            self._event.set()
        return self._event

    def set(self) -> None:
        """From any thread."""
        self._wanted.set()
        if self._loop is not None:
            with suppress(RuntimeError):  # its loop is closed: kopf has ended
                self._loop.call_soon_threadsafe(self._event.set)


class KopfWatch:
    """Runs kopf in a thread of its own and makes its deliveries, in order, in the event loop that runs this.

    kopf has no change handlers, indices, timers, peering or Events here: it writes nothing and keeps little.
    """

    def __init__(self, login: Login, identity: str, tenant: Take, package: Take) -> None:
        self._login = login
        self._identity = identity
        self._takes = {TENANT_PLURAL: tenant, PACKAGE_PLURAL: package}

    async def run(self) -> None:
        """Watch until cancelled; raises KopfEnded if kopf ends by itself."""
        ours, stop = asyncio.get_running_loop(), _Stop()
        ended: Future[None] = Future()
        thread = threading.Thread(target=self._run_kopf, args=(ours, stop, ended), name="kopf", daemon=True)
        thread.start()
        try:
            await asyncio.wrap_future(ended)
        finally:
            stop.set()

    def _run_kopf(self, ours: asyncio.AbstractEventLoop, stop: "_Stop", ended: "Future[None]") -> None:
        failure: BaseException | None = None
        try:
            asyncio.run(self._operate(ours, stop))
        except BaseException as error:  # noqa: BLE001 - the edge of a thread: the event loop raises it again
            failure = error
        if not ended.cancelled():
            ended.set_exception(KopfEnded(failure))

    async def _operate(self, ours: asyncio.AbstractEventLoop, stop: "_Stop") -> None:
        await kopf.operator(
            registry=self._registry(ours),
            settings=_settings(),
            clusterwide=True,
            standalone=True,
            # kopf would ask for the user's name, which a container may not have, and does not export the type
            identity=self._identity,  # type: ignore[arg-type]
            stop_flag=stop.begin(),
        )

    def _registry(self, loop: asyncio.AbstractEventLoop) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        started_at = time.monotonic()

        @kopf.on.login(registry=registry)
        def log_in(**_: Any) -> kopf.ConnectionInfo:
            return self._login()

        def forward(plural: str) -> None:
            take = self._takes[plural]

            @kopf.on.event(GROUP, VERSION, plural, registry=registry)
            async def deliver(event: Any, **_: Any) -> None:
                listed = event["type"] is None
                gone = event["type"] == "DELETED"
                loop.call_soon_threadsafe(take, event["object"], gone, started_at if listed else None)

        for plural in self._takes:
            forward(plural)
        return registry


class _NothingStored(kopf.DiffBaseStorage):
    """kopf's memory of what it handled last, which it builds anew for every delivery: none, for want of handlers."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.persistence.diffbase_storage = _NothingStored()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.chunk_size = 500
    settings.watching.reconnect_backoff = 0.1
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = _BACKOFFS
    settings.queueing.idle_timeout = 0.5
    settings.execution.max_workers = 1
    return settings
