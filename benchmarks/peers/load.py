"""What every peer is given: the same packets, as many requests at once, for as long.

Where HTTP is not spoken the load comes from here; like that of :mod:`benchmarks.load` it has one request under way on
each connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.load import Answers
from benchmarks.packets import Office
from benchmarks.report import Measure, Run
from benchmarks.servers import Running
from hub.domain.document import Organization

_PATIENCE = 30.0  # seconds one answer may take

T = TypeVar("T")
Fire = Callable[[Sequence[bytes], int, float], Answers]  # over so many connections, until they or the seconds end


@dataclass(frozen=True)
class Load:
    """``packets`` are signed by ``office``, for ``recipients``; the first ``warm_up`` of them are sent unmeasured."""

    office: Office
    recipients: Sequence[Organization]
    packets: Sequence[bytes]
    warm_up: int
    connections: int
    seconds: float

    def measure(self, run: Run, name: str, server: Running, fire: Fire) -> int:
        """Gives how many packets were sent, none of them twice: who is quick has done with them before the time."""
        first = fire(self.packets[: self.warm_up], self.connections, self.seconds)
        before = server.cpu()
        answers = fire(self.packets[self.warm_up :], self.connections, self.seconds)
        taken = server.cpu() - before
        shares = f"server {taken / answers.seconds:.0%}, load {answers.cpu / answers.seconds:.0%}"
        run.add(Measure.of(name, answers, taken, f"of a core: {shares}"))
        return len(first.latencies) + len(answers.latencies)


class Talk(asyncio.Protocol):
    """One connection on which something is said and an answer awaited."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self._whole: Callable[[bytes], bool] = bool
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError(f"closed, after {self._heard[-500:]!r}"))

    async def ask(self, said: bytes, whole: Callable[[bytes], bool]) -> bytes:
        """What comes back, once ``whole`` says it is all. Raises OSError when the server closes or keeps silent."""
        if self._transport is None:
            raise ConnectionError("not connected")
        self._whole, self._answer = whole, asyncio.get_running_loop().create_future()
        self._transport.write(said)
        self._look()
        return await asyncio.wait_for(self._answer, _PATIENCE)

    def _look(self) -> None:
        if self._answer is not None and not self._answer.done() and self._whole(self._heard):
            heard, self._heard = self._heard, b""
            self._answer.set_result(heard)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


Greet = Callable[[Talk], Awaitable[object]]
Send = Callable[[Talk, bytes], Awaitable[None]]  # raises RuntimeError when the server does not take it


def asked(port: int, questions: Callable[[Talk], Awaitable[T]]) -> T:
    """What comes of a talk on a connection of its own."""

    async def talked() -> T:
        talk = await _connected(port)
        try:
            return await questions(talk)
        finally:
            talk.close()

    return asyncio.run(talked())


async def _connected(port: int) -> Talk:
    return (await asyncio.get_running_loop().create_connection(Talk, "127.0.0.1", port))[1]


def fire(port: int, greet: Greet, send: Send, packets: Sequence[bytes], connections: int, seconds: float) -> Answers:
    """Send until packets or seconds are used up, over connections that were opened and greeted beforehand."""
    return asyncio.run(_fire(port, greet, send, iter(packets), connections, seconds))


async def _fire(
    port: int, greet: Greet, send: Send, packets: Iterator[bytes], connections: int, seconds: float
) -> Answers:
    answers = Answers()
    talks = [await _connected(port) for _ in range(connections)]

    async def send_all(talk: Talk, until: float) -> None:
        for packet in packets:
            began = time.perf_counter()
            await send(talk, packet)
            ended = time.perf_counter()
            answers.latencies.append(ended - began)
            if ended >= until:
                return

    try:
        await asyncio.gather(*(greet(talk) for talk in talks))
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(send_all(talk, began + seconds) for talk in talks))
        answers.seconds, answers.cpu = time.perf_counter() - began, time.process_time() - cpu
    finally:
        for talk in talks:
            talk.close()
    return answers
