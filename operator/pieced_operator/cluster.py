"""The only Kubernetes client: plain dictionaries in and out; api_server.py is the HTTP beneath it."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

import aiohttp
import orjson

from pieced_operator.api_errors import KindNotServed, NotFound, error_of
from pieced_operator.api_server import ApiServer
from pieced_operator.clock import ApiClock
from pieced_operator.login import Login
from pieced_operator.names import FIELD_MANAGER
from pieced_operator.shape import STATUS, WATCH_EVENT, Shape

Resource: TypeAlias = dict[str, Any]
"""A Kubernetes object as the API server writes it."""

T = TypeVar("T")

_PAGE: Final = 500
_WATCH_SECONDS: Final = 290
_WATCH_TIMEOUT: Final = aiohttp.ClientTimeout(sock_connect=10, sock_read=75)  # a bookmark comes about once a minute
_WHOLE: Final[Shape[Resource]] = Shape(dict[str, Any])
_OURS: Final = {"fieldManager": FIELD_MANAGER}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a LIST.

    `resource_version` is that of the whole list; `asked_at` a monotonic instant before the first part was read, so that
    everything in the list was so at that time or later.
    """

    items: list[T]
    resource_version: str
    asked_at: float


class Cluster:
    """Requests to one API server, from one event loop; an async context manager.

    Every method raises ApiRefused (or one of its kinds) when the API server says no and Unavailable when it does not
    answer.
    """

    def __init__(self, login: Login, clock: ApiClock) -> None:
        self.clock = clock
        self._api = ApiServer(login, clock)

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.__aexit__(kind, error, trace)

    async def get(self, path: str) -> Resource:
        """Read one object, from etcd and not from a cache."""
        return await self._request("GET", path)

    async def create(self, path: str, body: Resource) -> Resource:
        """Create an object; Conflict when it exists."""
        return await self._request("POST", path, body, "application/json", _OURS)

    async def replace(self, path: str, body: Resource) -> Resource:
        """Write an object in full; Conflict when its resourceVersion is not the latest."""
        return await self._request("PUT", path, body, "application/json", _OURS)

    async def apply(self, path: str, body: Resource) -> Resource:
        """Server-side apply: make the object have what the body says, and own that."""
        return await self.apply_as(_WHOLE, path, body)

    async def apply_as(self, shape: Shape[T], path: str, body: Resource) -> T:
        """The same, with the answer read in a shape of its own."""
        query = _OURS | {"force": "true"}
        async with self._api.answer(
            "PATCH", path, orjson.dumps(body), "application/apply-patch+yaml", query
        ) as response:
            return shape.one.decode(await response.read())

    async def merge(self, path: str, body: Resource) -> Resource:
        """Change what the body names."""
        return await self._request("PATCH", path, body, "application/merge-patch+json", _OURS)

    async def edit(self, path: str, operations: list[dict[str, Any]]) -> Resource:
        """JSON patch; Conflict when one of its tests does not hold."""
        return await self._request("PATCH", path, operations, "application/json-patch+json", _OURS)

    async def delete(self, path: str, uid: str, resource_version: str | None = None) -> bool:
        """Ask for the deletion of exactly this object; Conflict when it is another one or has changed.

        Returns whether it is gone; else something has to be done before, and the object says that it is being deleted.
        """
        preconditions = {"uid": uid} | ({"resourceVersion": resource_version} if resource_version else {})
        body = {"preconditions": preconditions, "propagationPolicy": "Background"}
        answer = await self._request("DELETE", path, body, "application/json")
        return bool(answer["kind"] == "Status")

    def pages(self, path: str, labels: str = "") -> AsyncIterator[Page[Resource]]:
        """LIST in parts, of etcd's latest state; Expired when reading took too long, KindNotServed for no such kind."""
        return self.pages_as(_WHOLE, path, labels)

    async def pages_as(self, shape: Shape[T], path: str, labels: str = "") -> AsyncIterator[Page[T]]:
        """The same, with the objects read in a shape of their own."""
        asked_at = time.monotonic()
        query = {"limit": str(_PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            try:
                async with self._api.answer("GET", path, query=query) as response:
                    listed = shape.listed.decode(await response.read())
            except NotFound:
                raise KindNotServed(path.rpartition("/")[2]) from None
            yield Page(listed.items, listed.metadata.resource_version, asked_at)
            if not listed.metadata.following:
                return
            query["continue"] = listed.metadata.following

    def watch(self, path: str, since: str, labels: str = "") -> AsyncIterator[tuple[str, Resource]]:
        """Changes after a resource version as (ADDED, MODIFIED, DELETED or BOOKMARK, object), until the server ends it.

        Raises Expired when the version is too old.
        """
        return self.watch_as(_WHOLE, path, since, labels)

    async def watch_as(self, shape: Shape[T], path: str, since: str, labels: str = "") -> AsyncIterator[tuple[str, T]]:
        """The same, with the objects read in a shape of their own."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(_WATCH_SECONDS),
        } | ({"labelSelector": labels} if labels else {})
        async with self._api.answer("GET", path, query=query, timeout=_WATCH_TIMEOUT) as response:
            async for line in _lines(response):
                event = WATCH_EVENT.decode(line)
                if event.type == "ERROR":
                    raise error_of(STATUS.decode(event.object).code, bytes(event.object))
                yield event.type, shape.one.decode(event.object)

    async def _request(
        self,
        verb: str,
        path: str,
        body: Any = None,
        content_type: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Resource:
        content = None if body is None else orjson.dumps(body)
        async with self._api.answer(verb, path, content, content_type, query) as response:
            decoded: Resource = orjson.loads(await response.read())
        return decoded


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a stream, however long."""
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
