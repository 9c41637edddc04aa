"""A server on a socket, in the test's own event loop, that does with each request what the test says."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Scripted:
    """``requests`` as they came, whole or as far as they came; ``connections``: how many there were."""

    base_url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0


Deed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


def says(*parts: bytes) -> Deed:
    """These bytes, part by part; the connection stays."""

    async def deed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return deed


def answers(body: bytes, status: int = 200, *headers: str) -> Deed:
    """A plain answer."""
    lines = [f"HTTP/1.1 {status} OK", f"Content-Length: {len(body)}", *headers]
    return says("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def then(deed: Deed, last: Callable[[asyncio.StreamWriter], None]) -> Deed:
    """A deed, and the end of the connection."""

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await deed(reader, writer)
        last(writer)

    return both


def closes(writer: asyncio.StreamWriter) -> None:
    writer.close()


def resets(writer: asyncio.StreamWriter) -> None:
    """RST."""
    same: socket.socket = writer.get_extra_info("socket")
    same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """No answer until the client hangs up."""
    await reader.read()


async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.005)


@asynccontextmanager
async def a_scripted_server(*deeds: Deed) -> AsyncIterator[Scripted]:
    """One deed for each request, whatever its connection; the last for all that follow."""
    seen, left = Scripted(), list(deeds)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        seen.open += 1
        try:
            while not writer.transport.is_closing() and await _read(reader, seen):
                await (left.pop(0) if len(left) > 1 else left[0])(reader, writer)
        except ConnectionError:
            pass  # the client's doing
        finally:
            seen.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        while seen.open:
            await asyncio.sleep(0.001)


async def _read(reader: asyncio.StreamReader, seen: Scripted) -> bool:
    """Whether a whole request came."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as fault:
        if fault.partial:
            seen.requests.append(fault.partial)
        return False
    length = _LENGTH.search(head)
    try:
        body = await reader.readexactly(int(length[1]) if length else 0)
    except asyncio.IncompleteReadError as fault:
        seen.requests.append(head + fault.partial)
        return False
    seen.requests.append(head + body)
    return True
