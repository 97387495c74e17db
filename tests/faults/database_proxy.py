"""Between the operator and Postgres: a proxy that can refuse, cut, lose the answer to a COMMIT, and tell of one."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.faults.loop_thread import LoopThread


class DatabaseProxy:
    """Forwards bytes to a server whose port may change."""

    def __init__(self, upstream_port: int) -> None:
        self.port = 0
        self.upstream_port = upstream_port
        self.refusing = False
        self.commits_cut = 0
        """How many COMMITs were sent on and their answers lost."""
        self.at_commit: Callable[[], None] | None = None
        """Called once, when the server has been sent the next COMMIT, with what else came in its message."""
        self.at_commit_after = 0.0
        """How many seconds the server has for it before that."""
        self._to_cut = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """End every connection at once; new ones are taken."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def refuse(self, yes: bool) -> None:
        """Take no connections and keep none, or take them again."""
        self.refusing = yes
        if yes:
            await self.cut()

    async def cut_after_commits(self, count: int) -> None:
        """Lose the answers of the next COMMITs: the server gets each, the client does not hear of it."""
        self._to_cut = count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, up_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, up_writer, writer))
                group.create_task(_copy(up_reader, writer))
        except* (OSError, _Ended):
            pass
        finally:
            self._open -= {writer, up_writer}
            writer.transport.abort()
            up_writer.close()
            with suppress(OSError):
                await up_writer.wait_closed()

    async def _requests(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if self._to_cut and b"COMMIT" in data:
                self._to_cut -= 1
                self.commits_cut += 1
                client.transport.abort()
                upstream.write(data)
                await upstream.drain()
                raise _Ended
            upstream.write(data)
            await upstream.drain()
            if self.at_commit is not None and b"COMMIT" in data:
                act, self.at_commit = self.at_commit, None
                await asyncio.sleep(self.at_commit_after)
                act()
        raise _Ended


class _Ended(Exception):
    """One side is done."""


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    raise _Ended


@contextmanager
def database_proxy(loop: LoopThread, upstream_port: int) -> Iterator[DatabaseProxy]:
    """A proxy to a server on the loopback interface."""
    proxy = DatabaseProxy(upstream_port)
    loop.run(proxy.start())
    try:
        yield proxy
    finally:
        loop.run(proxy.stop())
