"""``agency record``: a proxy in front of any hub that writes down what passes, and changes nothing of it.

A connection of a client is one connection to the hub: each request goes out on it as it came, and when one of the two
hangs up so does the other; both sides meet the same as without the proxy. Of a request only the value of Host is
another. Bodies pass in parts, so that memory does not grow with them.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import signal
import ssl
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from rich.console import Console
from rich.live import Live
from rich.text import Text

from clients.replay.traffic.file import TrafficProblem, TrafficWriter
from clients.replay.traffic.framing import HEAD_LIMIT, BadFraming, Body, Head, answer_body, read_head, request_body
from clients.replay.traffic.heard import KEEPS_ANSWER, KEEPS_REQUEST, Heard, hear

_HERE = "127.0.0.1"
_PART = 64 * 1024  # bytes read at once
_REACH = 10.0  # seconds to connect to the hub
_LINGER = 2.0  # seconds in which a client that still sends can read its answer
_SHOWN = 0.25  # seconds between two looks at the counts
_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")
_HOST = re.compile(rb"(\r\nhost:[ \t]*)[^\r]*", re.IGNORECASE)


class _Lost(Exception):  # noqa: N818  (it is the answer that is lost)
    """There is no whole answer."""


class _Side:
    """One end of a connection: ``rest`` came and was not used yet, ``over``: nothing more will come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.rest, self.over = b"", False

    async def more(self) -> bool:
        try:
            part = await self._reader.read(_PART)
        except OSError:
            part = b""
        self.rest += part
        self.over = not part
        return bool(part)

    async def head(self) -> Head | None:
        """The next head; None where the connection ends without one. Raises ``BadFraming``."""
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            if len(self.rest) > HEAD_LIMIT:
                raise BadFraming("a head without end")
            if not await self.more():
                return None
        raw, self.rest = self.rest[: end + 4], self.rest[end + 4 :]
        return read_head(raw)

    async def request(self) -> Head | None:
        """As :meth:`head`, without the empty lines that may stand before a request (RFC 9112 §2.2)."""
        while True:
            self.rest = _EMPTY_LINES.sub(b"", self.rest)
            if self.rest not in {b"", b"\r"}:
                return await self.head()
            if not await self.more():
                return None

    async def pass_on(self, body: Body, to: _Side, spool: IO[bytes] | None) -> None:
        """As much of a body as has come."""
        used, content = body.take(self.rest)
        part, self.rest = self.rest[:used], self.rest[used:]
        if spool is not None:
            try:
                spool.write(content)
            except OSError as fault:  # of the disk, and not of the connection
                raise TrafficProblem(f"a body cannot be kept: {fault.strerror}") from None
        if part:
            await to.write(part)

    async def write(self, data: bytes) -> None:
        """Raises ``OSError`` when the other end is gone."""
        self.writer.write(data)
        await self.writer.drain()

    async def linger(self) -> None:
        """Say that nothing more comes, and drop what still does: a reset would take the answer with it."""
        with suppress(OSError, TimeoutError):
            if self.writer.can_write_eof():
                self.writer.write_eof()
            async with asyncio.timeout(_LINGER):
                while await self.more():
                    self.rest = b""


class _Asked:
    """One exchange under way."""

    def __init__(self, heard: Heard, head: Head, writer: TrafficWriter) -> None:
        self.heard, self.head, self.body = heard, head, request_body(head)
        self.status, self.packed = 0, ""
        self.lost = "the recorder ended"  # until there is a whole answer
        self.goes_on = True  # the connection may carry another
        self.request, self.answer = writer.spool(), writer.spool()
        self.began = time.monotonic()

    @property
    def kept_request(self) -> IO[bytes] | None:
        return self.request if self.heard.operation in KEEPS_REQUEST else None

    @property
    def kept_answer(self) -> IO[bytes] | None:
        return self.answer if self.heard.operation in KEEPS_ANSWER else None

    def close(self) -> None:
        self.request.close()
        self.answer.close()


class Recorder:
    """The proxy; a context manager that listens on ``url``, of 127.0.0.1, and writes a new file. What ends is in the
    file, and counted in ``counts`` by operation, in ``lost`` where no whole answer came. Entering raises ``OSError``
    for a port that cannot be listened on, and :class:`TrafficProblem`; neither leaves a file."""

    def __init__(self, hub: str, to: Path, begun: datetime, *, port: int = 0) -> None:
        """``hub``: its address, with a path where it has one. Raises ``ValueError`` for what is none."""
        parts = urlsplit(hub)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise ValueError(f"not the address of a hub: {hub}")
        self._hub = (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        self._authority, self._path = parts.netloc.encode(), parts.path.rstrip("/").encode()
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port, self._new_file = port, partial(TrafficWriter, to, hub, begun)
        self._salt, self._began = secrets.token_bytes(32), time.monotonic()
        self._open: set[asyncio.Task[None]] = set()
        self.counts, self.lost, self.away, self.url = Counter[str](), 0, 0, ""
        self.fault: TrafficProblem | None = None  # nothing more can be written

    async def __aenter__(self) -> Recorder:
        self._server = await asyncio.start_server(self._serve, _HERE, self._port, limit=_PART, start_serving=False)
        try:
            self._writer = self._new_file()
        except TrafficProblem:
            self._server.close()
            raise
        await self._server.start_serving()
        self.url = f"http://{_HERE}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        with self._writer:
            self._server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            await self._server.wait_closed()

    @property
    def open(self) -> int:
        """Connections of clients."""
        return len(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        client, hub = _Side(reader, writer), None
        try:
            while (head := await _next(client, hub)) is not None:
                heard = hear(head, self._salt)
                if hub is None or hub.over:
                    try:
                        hub = await self._reach()
                    except OSError as fault:
                        await self._tell_away(client, head, heard, fault)
                        return
                if not await self._exchange(client, hub, head, heard):
                    return
        except BadFraming as fault:
            await _answer(client, 400, "Bad Request", str(fault))
        except (OSError, asyncio.CancelledError):
            pass  # whoever is gone needs no answer; asyncio's streams take an end from outside for a fault
        finally:
            self._open.discard(task)
            for side in filter(None, (client, hub)):
                side.writer.close()

    async def _reach(self) -> _Side:
        try:
            async with asyncio.timeout(_REACH):
                return _Side(*await asyncio.open_connection(*self._hub, ssl=self._tls, limit=_PART))
        except TimeoutError:
            raise OSError(f"no connection within {_REACH:.0f} s") from None

    async def _tell_away(self, client: _Side, head: Head, heard: Heard, fault: OSError) -> None:
        self.away += 1
        asked = _Asked(heard, head, self._writer)
        asked.status, asked.lost = 502, "the hub is away"
        self._note(asked)
        asked.close()
        await _answer(client, 502, "Bad Gateway", f"the hub at {self._authority.decode()} is away: {fault}")

    async def _exchange(self, client: _Side, hub: _Side, head: Head, heard: Heard) -> bool:
        """Pass a request and its answer on; whether the connection may carry another."""
        asked = _Asked(heard, head, self._writer)
        asking = asyncio.ensure_future(self._ask(asked, client, hub))
        answering = asyncio.ensure_future(self._give(asked, client, hub))
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                asking.result()
                if client.over:
                    raise _Lost("the client hung up")
            await answering
            if not asked.body.done:
                await self._rest_of_request(asked, asking, client, hub)
        except (_Lost, BadFraming, OSError) as fault:
            asked.lost, asked.goes_on = str(fault) or type(fault).__name__, False
        except TrafficProblem as fault:
            self.fault, asked.lost, asked.goes_on = fault, "the disk is full", False
        finally:
            try:
                await _end(asking, answering)
            finally:  # also when the recorder ends at this very moment
                self._note(asked)
                asked.close()
        return asked.goes_on

    async def _ask(self, asked: _Asked, client: _Side, hub: _Side) -> None:
        """The request to the hub; returns when the client says more, or nothing any more."""
        with suppress(OSError):  # a hub that is gone may have answered before
            first, end, rest = asked.head.raw.partition(b"\r\n")
            if self._path:
                method, target, version = first.split(b" ")
                first = b" ".join((method, self._path + target, version))
            await hub.write(first + _HOST.sub(rb"\g<1>" + self._authority, end + rest, count=1))
            while not asked.body.done:
                if not client.rest and not await client.more():
                    return
                before = len(client.rest)
                await client.pass_on(asked.body, hub, asked.kept_request)
                if len(client.rest) == before and not asked.body.done and not await client.more():
                    return
        if not client.rest:
            await client.more()

    async def _give(self, asked: _Asked, client: _Side, hub: _Side) -> None:
        """The answer to the client; those before it, as 100 is, too."""
        while True:
            head = await hub.head()
            if head is None:
                raise _Lost("the hub hung up without an answer")
            await client.write(head.raw)
            if head.status >= 200 or head.status == 101:
                break
        body = answer_body(head, asked.head.method)
        asked.status = head.status
        asked.packed = head.field(b"content-encoding").decode("latin-1").lower()
        while not body.done:
            before = len(hub.rest)
            await hub.pass_on(body, client, asked.kept_answer)
            if len(hub.rest) == before and not body.done and not await hub.more():
                if not body.ends_with_connection:
                    raise _Lost("the answer broke off")
                asked.goes_on = False
                break
        asked.lost = ""

    async def _rest_of_request(self, asked: _Asked, asking: asyncio.Task[None], client: _Side, hub: _Side) -> None:
        """Of a request that was answered before its end: the hub reads on, or hangs up; the client may do either."""
        ending = asyncio.ensure_future(hub.more())
        try:
            await asyncio.wait({asking, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(ending)
        if not asked.body.done:
            asked.goes_on = False
            await _end(asking)
            await client.linger()

    def _note(self, asked: _Asked) -> None:
        heard = asked.heard
        self.counts[heard.operation] += 1
        self.lost += bool(asked.lost)
        facts = {
            "at": round(asked.began - self._began, 6),
            "took": round(time.monotonic() - asked.began, 6),
            "dialect": heard.dialect,
            "system": heard.system,
            "operation": heard.operation,
            "method": heard.method,
            "path": heard.path,
            "said": dict(heard.said),
            "status": asked.status,
            "lost": asked.lost,
            "packed": asked.packed,
        }
        try:
            self._writer.add(facts, asked.request, asked.answer)
        except TrafficProblem as fault:
            self.fault = fault


async def _next(client: _Side, hub: _Side | None) -> Head | None:
    """The next request; None when there will be none: with a hub that hangs up, so does the client."""
    if hub is None:
        return await client.request()
    heading, ending = asyncio.ensure_future(client.request()), asyncio.ensure_future(hub.more())
    try:
        await asyncio.wait({heading, ending}, return_when=asyncio.FIRST_COMPLETED)
        if heading.done():
            return heading.result()
        if hub.rest:  # an answer that nobody asked for, as some give before they hang up
            await client.write(hub.rest)
        return None
    finally:
        await _end(heading, ending)


async def _end(*tasks: asyncio.Task[None] | asyncio.Task[bool] | asyncio.Task[Head | None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(client: _Side, status: int, reason: str, why: str) -> None:
    """An answer of the proxy's own, after which it hangs up."""
    problem = {"type": "about:blank", "title": reason, "status": status, "detail": f"agency record: {why}"}
    body = json.dumps(problem).encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
    with suppress(OSError):
        await client.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await client.linger()


async def record(hub: str, to: Path, console: Console, *, port: int = 0) -> Counter[str]:
    """Record until Ctrl-C; gives what was counted. Prints the address to use, the counts as they grow,
    and a line at the end. Raises ``TrafficProblem``, for a port too that cannot be listened on and what is no hub's
    address; these leave no file.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError, NotImplementedError):  # not the main thread, or no such machine
            loop.add_signal_handler(number, stop.set)
    try:
        async with Recorder(hub, to, datetime.now(UTC), port=port) as recorder:
            console.print(f"{recorder.url} → {hub}", highlight=False, soft_wrap=True)
            with Live(console=console, auto_refresh=False, transient=True) as live:
                while not stop.is_set() and recorder.fault is None:
                    live.update(Text(told(recorder)), refresh=True)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), _SHOWN)
    except (OSError, ValueError) as fault:
        raise TrafficProblem(str(fault)) from None
    console.print(f"{to}: {told(recorder)}", highlight=False, soft_wrap=True)
    if recorder.fault is not None:
        raise recorder.fault
    return recorder.counts


def told(recorder: Recorder) -> str:
    """The counts as one line."""
    parts = [f"{count:,} {operation}" for operation, count in recorder.counts.most_common()]
    parts += [f"{recorder.lost:,} without a whole answer"] * bool(recorder.lost)
    parts += [f"the hub was away {recorder.away:,} times"] * bool(recorder.away)
    return ", ".join(parts) or "nothing yet"
