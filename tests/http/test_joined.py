"""The head of an answer goes with its body, and never waits for one that does not come."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from hub.http.joined import Joined

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"


def arrived(there: socket.socket) -> bytes:
    try:
        return there.recv(4096)
    except BlockingIOError:
        return b""


def played(
    story: Callable[[Joined, socket.socket], Awaitable[None]], factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def play() -> None:
        here, there = socket.socketpair()
        there.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=here)
        with there:
            await story(Joined(transport, loop), there)
        transport.abort()
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(play())


both_loops = pytest.mark.parametrize("factory", [asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["plain", "uv"])


@both_loops
def test_a_head_waits_for_its_body_and_they_go_together(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def story(to: Joined, there: socket.socket) -> None:
        to.write(HEAD)
        assert arrived(there) == b""
        to.write(b"0123456")
        assert arrived(there) == HEAD + b"0123456"

    played(story, factory)


@both_loops
def test_a_head_that_nothing_follows_goes_in_the_same_turn(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def story(to: Joined, there: socket.socket) -> None:
        to.write(HEAD)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert arrived(there) == HEAD
        to.write(b"0123456")
        assert arrived(there) == b"0123456"

    played(story, factory)


@both_loops
@pytest.mark.parametrize("ending", ["close", "write_eof"])
def test_a_connection_that_ends_behind_a_head_has_sent_it(
    factory: Callable[[], asyncio.AbstractEventLoop], ending: str
) -> None:
    async def story(to: Joined, there: socket.socket) -> None:
        to.write(HEAD)
        getattr(to, ending)()
        await asyncio.sleep(0)
        assert arrived(there) == HEAD

    played(story, factory)


@both_loops
def test_a_body_that_looks_like_a_head_keeps_its_place(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def story(to: Joined, there: socket.socket) -> None:
        for part in (HEAD, HEAD, b"HTTP/1.", b"end"):
            to.write(part)
        assert arrived(there) == HEAD + HEAD + b"HTTP/1." + b"end"

    played(story, factory)
