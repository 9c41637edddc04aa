"""What goes wrong on the way, on purpose: decided by seed and mark alone, so that a run can be had again."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from clients.replay.planned import chance
from clients.replay.wire.connection import Answer, Connection

CUT_REQUEST, CUT_ANSWER, DELAY, DUPLICATE, SLOW_UPLOAD, RESET, WRONG_LENGTH = FAULTS = (
    "cut-request",  # part of the request, then closed
    "cut-answer",  # part of the answer is read, then closed
    "delay",  # before the request is sent
    "duplicate",  # the same request twice at once; the first whole answer counts
    "slow-upload",  # the body in parts, with pauses
    "reset",  # RST in the middle of the request, or behind it
    "wrong-length",  # another Content-Length than the body has, then closed
)  # fmt: skip
_OF_BODIES = {DUPLICATE, SLOW_UPLOAD, WRONG_LENGTH}
_PARTS = 8  # of a slow upload
_LENGTH = re.compile(rb"(\r\ncontent-length: *)(\d+)", re.IGNORECASE)
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s: closing sends RST

Connect = Callable[[Callable[[], asyncio.Protocol]], Awaitable[asyncio.Protocol]]


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


class NetworkFaults:
    """``shares``: of the requests that meet each of ``FAULTS``; of several that hit, the first of that list.

    ``seconds``: the longest that a delay, or a slow upload in all, takes; ``told(fault, mark)`` hears of each fault as
    it is done. Raises ValueError for a fault that does not exist.
    """

    def __init__(
        self,
        seed: int,
        shares: Mapping[str, float],
        seconds: float = 1.0,
        *,
        told: Callable[[str, str], None] = lambda fault, mark: None,
        sleep: Callable[[float], Awaitable[None]] = _sleep,
    ) -> None:
        if unknown := set(shares) - set(FAULTS):
            raise ValueError(f"no network fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
        self._seed, self._seconds = seed, seconds
        self._shares = tuple((fault, shares[fault]) for fault in FAULTS if shares.get(fault, 0.0) > 0)
        self.told, self.sleep = told, sleep

    def of(self, mark: str) -> str:
        """The fault that requests of this mark meet; "" for none."""
        return next((fault for fault, share in self._shares if chance(self._seed, fault, mark) < share), "")

    def met_by(self, request: bytes, mark: str) -> str:
        """The same, where it can be done to this request: some need a body."""
        fault = self.of(mark)
        return "" if fault in _OF_BODIES and request.endswith(b"\r\n\r\n") else fault

    def where(self, fault: str, mark: str) -> float:
        """How far into it, or how much of it: in [0, 1)."""
        return chance(self._seed, f"{fault}-where", mark)

    def seconds(self, fault: str, mark: str) -> float:
        """How long it takes."""
        return self._seconds * self.where(fault, mark)


async def slowly(
    connection: Connection, request: bytes, patience: float, seconds: float, faults: NetworkFaults
) -> Answer:
    """Head first, then the body in parts over so many seconds, whether the hub answers before its end or not."""
    body = request.index(b"\r\n\r\n") + 4
    answer = connection.ask(request[:body], patience + seconds)
    size = -(-(len(request) - body) // _PARTS)
    for start in range(body, len(request), size):
        await faults.sleep(seconds / _PARTS)
        connection.write(request[start : start + size])
    return await answer


async def spoil(fault: str, where: float, request: bytes, connect: Connect, patience: float) -> None:
    """Do it to a request, on a connection of its own, which is closed behind it. No answer counts.

    Raises OSError without a connection, TimeoutError among them.
    """
    async with asyncio.timeout(patience):
        line = cast("_Spoilt", await connect(_Spoilt))
    try:
        async with asyncio.timeout(patience):
            await _DEEDS[fault](line, request, where)
    except TimeoutError:
        return  # the hub took its time; there is nothing more to spoil
    finally:
        line.transport.abort()


class _Spoilt(asyncio.Protocol):
    """A connection on which no answer counts."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.heard: asyncio.Future[None] = loop.create_future()  # a part of an answer, or the end
        self.gone: asyncio.Future[None] = loop.create_future()
        self._flowing = asyncio.Event()
        self._flowing.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        if not self.heard.done():
            self.heard.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.data_received(b"")
        self._flowing.set()
        self.gone.set_result(None)

    def pause_writing(self) -> None:
        self._flowing.clear()

    def resume_writing(self) -> None:
        self._flowing.set()

    async def pour(self, data: bytes) -> None:
        """All of it handed to the machine."""
        self.transport.write(data)
        await asyncio.sleep(0)  # some loops write at the end of a turn
        await self._flowing.wait()


async def _cut_request(line: _Spoilt, request: bytes, where: float) -> None:
    line.transport.write(_part(request, where))
    line.transport.close()
    await line.gone


async def _cut_answer(line: _Spoilt, request: bytes, _where: float) -> None:
    line.transport.write(request)
    await line.heard


async def _reset(line: _Spoilt, request: bytes, where: float) -> None:
    # Of every second the hub has the whole request, and cannot know that nobody hears its answer.
    await line.pour(_part(request, 2 * where) if where < 0.5 else request)
    if not line.gone.done():
        with socket.socket(fileno=os.dup(line.transport.get_extra_info("socket").fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


async def _wrong_length(line: _Spoilt, request: bytes, where: float) -> None:
    said = _LENGTH.search(request)
    size = int(said[2]) if said else 0
    if where < 0.5:
        line.transport.write(_LENGTH.sub(rb"\g<1>%d" % (size + 1 + int(where * 1000)), request, count=1))
        line.transport.close()
        await line.gone
    else:
        line.transport.write(_LENGTH.sub(rb"\g<1>%d" % (size // 2), request, count=1))
        await line.heard


def _part(request: bytes, where: float) -> bytes:
    return request[: 1 + int(where * (len(request) - 1))]


_DEEDS: Mapping[str, Callable[[_Spoilt, bytes, float], Awaitable[None]]] = {
    CUT_REQUEST: _cut_request,
    CUT_ANSWER: _cut_answer,
    RESET: _reset,
    WRONG_LENGTH: _wrong_length,
}
