"""Load over raw sockets: requests that were built beforehand, each connection sending its next when it has its answer.

An HTTP client library would be the slowest part of the measurement.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_PATIENCE = 30.0  # seconds one answer may take
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Answers:
    """What came back: seconds per answer, how many of each HTTP status, and one answer that refuses."""

    seconds: float = 0.0  # from the first request to the last answer
    cpu: float = 0.0  # seconds of processor time the load itself took
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    refusal: bytes = b""

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def all_are(self, status: int) -> Answers:
        """Itself. Raises RuntimeError for an answer with another status, or that refuses: then nothing was measured."""
        if set(self.statuses) != {status} or self.refusal:
            raise RuntimeError(f"answers: {dict(self.statuses)}, {self.refusal.decode(errors='replace')[-2000:]}")
        return self

    def __add__(self, other: Answers) -> Answers:
        """Of two stretches of time; nothing is said of the time between them."""
        return Answers(
            self.seconds + other.seconds,
            self.cpu + other.cpu,
            self.latencies + other.latencies,
            self.statuses + other.statuses,
            self.refusal or other.refusal,
        )

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(path: str, token: str, body: bytes, form: str = "application/xml") -> bytes:
    """An HTTP request with a packet, or a body of another form."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {form}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def question(path: str, token: str) -> bytes:
    """An HTTP request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def fire(url: str, requests: Iterable[bytes], *, connections: int, seconds: float, accepted_by: bytes = b"") -> Answers:
    """Send until the requests or the seconds are used up. ``accepted_by``: an answer without these bytes refuses,
    whatever its status.
    """
    return asyncio.run(_fire(url, iter(requests), connections, seconds, accepted_by))


async def _fire(url: str, requests: Iterator[bytes], connections: int, seconds: float, accepted_by: bytes) -> Answers:
    answers = Answers()
    lines = [await connected(url) for _ in range(connections)]
    began, cpu = time.perf_counter(), time.process_time()
    try:
        await asyncio.gather(*(line.send_all(requests, began + seconds, answers, accepted_by) for line in lines))
    finally:
        for line in lines:
            line.close()
    answers.seconds, answers.cpu = time.perf_counter() - began, time.process_time() - cpu
    return answers


async def connected(url: str) -> Line:
    """A connection to a server."""
    host, _, port = url.removeprefix("http://").partition(":")
    _, line = await asyncio.get_running_loop().create_connection(Line, host, int(port))
    return line


class Line(asyncio.Protocol):
    """One connection, with one request under way at most."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parts: deque[bytes] = deque()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        whole = b"".join(self._parts)
        head, end, body = whole.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and length and len(body) >= int(length[1]) and self._answer is not None:
            self._parts.clear()
            self._answer.set_result(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed before the answer"))

    async def send_all(self, requests: Iterator[bytes], until: float, answers: Answers, accepted_by: bytes) -> None:
        for packet in requests:
            began = time.perf_counter()
            answer = await self.ask(packet)
            ended = time.perf_counter()
            status = int(answer[9:12])
            answers.latencies.append(ended - began)
            answers.statuses[status] += 1
            if status >= 300 or accepted_by not in answer:
                answers.refusal = answer
            if ended >= until:
                return

    async def ask(self, packet: bytes) -> bytes:
        """The whole answer, head and body."""
        return await asyncio.wait_for(self._asked(packet), _PATIENCE)

    def _asked(self, packet: bytes) -> asyncio.Future[bytes]:
        if self._transport is None:
            raise ConnectionError("not connected")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(packet)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
