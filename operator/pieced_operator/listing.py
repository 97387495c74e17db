"""Several LISTs side by side: the API server writes the next page of each while one is being read."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from pieced_operator.cluster import Page

T = TypeVar("T")


class Lists(Generic[T]):
    """LISTs by name, each one page ahead."""

    def __init__(self, pages: Mapping[str, AsyncIterator[Page[T]]]) -> None:
        self._pages = pages
        self._coming = {name: self._ask(name) for name in pages}

    async def next(self, name: str) -> Page[T] | None:
        """The next page of a list, None at its end; raises what reading it raised."""
        page = await self._coming[name]
        if page is not None:
            self._coming[name] = self._ask(name)
        return page

    async def end(self) -> None:
        """Give up what is still to come."""
        for task in self._coming.values():
            task.cancel()
        await asyncio.gather(*self._coming.values(), return_exceptions=True)

    def _ask(self, name: str) -> asyncio.Task[Page[T] | None]:
        return asyncio.ensure_future(_next(self._pages[name]))


@asynccontextmanager
async def side_by_side(pages: Mapping[str, AsyncIterator[Page[T]]]) -> AsyncIterator[Lists[T]]:
    """The lists, and at the end no request left."""
    lists = Lists(pages)
    try:
        yield lists
    finally:
        await lists.end()


async def _next(pages: AsyncIterator[Page[T]]) -> Page[T] | None:
    return await anext(pages, None)
