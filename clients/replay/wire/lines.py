"""HTTP/1.1 to one hub over sockets: a pool of connections, requests as bytes that were built beforehand.

An HTTP client library would be the slowest part of the whole: it takes as much time as ten of these requests.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

from clients.replay.wire import faults as on_the_way
from clients.replay.wire.connection import Answer, Connection, NoAnswer
from clients.replay.wire.faults import NetworkFaults

__all__ = ["Answer", "Lines", "NoAnswer"]

_FRESH = 30.0  # seconds that a connection may wait for its next request: hubs close theirs after more (this one: 75)

Line = TypeVar("Line", bound=asyncio.Protocol)


class Lines:
    """At most ``most`` connections to the hub at ``url``; an async context manager. ``trust``: for https, whom to
    believe.

    ``host`` and ``path`` are the url's, the path without a slash at its end.
    """

    def __init__(self, url: str, *, most: int = 64, trust: ssl.SSLContext | None = None) -> None:
        """Raises ValueError for what is no address of a hub."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"no address of a hub: {url}")
        self.host, self.path = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        self._name = parts.hostname
        self._tls = (trust or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._idle: list[tuple[Connection, float]] = []  # and since when; the last used is the next used
        self._room = asyncio.Semaphore(most)
        self._twins: set[asyncio.Task[Answer]] = set()  # requests sent twice; the later answer is nobody's

    async def __aenter__(self) -> Lines:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        twins = tuple(self._twins)
        for task in twins:
            task.cancel()
        await asyncio.gather(*twins, return_exceptions=True)
        for connection, _ in self._idle:
            connection.end()

    async def reach(self, patience: float) -> None:
        """Open a connection for the first request. Raises ``NoAnswer``."""
        async with self._room:
            self._idle.append((await self._connection(patience), asyncio.get_running_loop().time()))

    async def ask(self, request: bytes, *, mark: str, faults: NetworkFaults | None, patience: float) -> Answer:
        """The answer to a request, which must be whole ``patience`` seconds after it began to be sent. Where all
        connections are in use it waits for one. ``mark`` decides which fault it meets.

        Raises ``NoAnswer``; nothing is sent again.
        """
        fault = faults.met_by(request, mark) if faults is not None else ""
        if faults is None or not fault:
            return await self._ask(request, patience)
        faults.told(fault, mark)
        if fault == on_the_way.DELAY:
            await faults.sleep(faults.seconds(fault, mark))
            return await self._ask(request, patience)
        if fault == on_the_way.DUPLICATE:
            return await self._ask_twice(request, patience)
        if fault == on_the_way.SLOW_UPLOAD:
            return await self._ask(request, patience, faults, faults.seconds(fault, mark))
        try:
            async with self._room:
                await on_the_way.spoil(fault, faults.where(fault, mark), request, self._connected, patience)
        except OSError as why:
            raise NoAnswer(f"refused: {why}") from None
        raise NoAnswer(f"injected: {fault}")

    async def _ask(
        self, request: bytes, patience: float, slow: NetworkFaults | None = None, seconds: float = 0.0
    ) -> Answer:
        async with self._room:
            connection = await self._connection(patience)
            try:
                if slow is not None:
                    return await on_the_way.slowly(connection, request, patience, seconds, slow)
                return await connection.ask(request, patience)
            finally:
                if connection.free:
                    self._idle.append((connection, asyncio.get_running_loop().time()))
                else:
                    connection.end()

    async def _ask_twice(self, request: bytes, patience: float) -> Answer:
        waiting = {asyncio.create_task(self._ask(request, patience)) for _ in range(2)}
        self._twins |= waiting
        for task in waiting:
            task.add_done_callback(self._heard)
        while True:
            heard, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            whole = [task for task in heard if task.exception() is None]
            if whole or not waiting:
                return (whole or list(heard))[0].result()

    def _heard(self, task: asyncio.Task[Answer]) -> None:
        self._twins.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else may look at it

    async def _connection(self, patience: float) -> Connection:
        until = asyncio.get_running_loop().time() - _FRESH
        while self._idle:
            connection, since = self._idle.pop()
            if since > until and connection.free:
                return connection
            connection.end()
        try:
            async with asyncio.timeout(patience):
                return await self._connected(Connection)
        except TimeoutError:
            raise NoAnswer(f"late: no connection in {patience:g} s") from None
        except OSError as fault:
            raise NoAnswer(f"refused: {fault}") from None

    async def _connected(self, protocol: Callable[[], Line]) -> Line:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        name = self._name if self._tls else None
        _, line = await loop.create_connection(protocol, self._name, self._port, ssl=self._tls, server_hostname=name)
        return line
