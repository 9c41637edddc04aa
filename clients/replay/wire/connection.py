"""One connection to a hub: requests as bytes, one under way at a time, and whole answers or none."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_END = b"\r\n\r\n"


class NoAnswer(Exception):  # noqa: N818  (it is the answer that is named)
    """No whole answer came: the hub may have done what was asked, or not.

    ``why`` begins with its kind: ``refused`` (no connection), ``reset``, ``cut``, ``late``, ``garbage`` (no HTTP, or
    not what is needed), or ``injected`` with the fault's name. ``seconds`` from the request's first byte; 0 where none
    was sent, or an answer came.
    """

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.seconds = why, seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``headers`` begin with the status line and end without an empty one; ``body`` is without its
    chunks; ``seconds`` from the request's first byte to the answer's last.
    """

    status: int
    headers: bytes
    body: bytes = field(repr=False)
    seconds: float


class Connection(asyncio.Protocol):
    """To be asked again only while it is ``free``."""

    def __init__(self) -> None:
        self.free = False
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._late: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._forget()

    def _forget(self) -> None:
        self._begun = self._headed = self._whole = self._more = self._stays = False
        self._head = self._rest = b""
        self._parts: list[bytes] = []

    def ask(self, request: bytes, patience: float) -> asyncio.Future[Answer]:
        """The answer, which must be whole in so many seconds; else ``NoAnswer``. What is missing of the request may
        follow by :meth:`write`.
        """
        self._answer = self._loop.create_future()
        self._began = time.perf_counter()
        if not self.free:  # hung up between its choice and now
            self._fail("cut: closed before the request")
            return self._answer
        self.free = False
        self._late = self._loop.call_later(patience, self._fail, f"late: not whole after {patience:g} s")
        self.write(request)
        return self._answer

    def write(self, data: bytes) -> None:
        """Nothing where the connection has ended."""
        if self._transport is not None:
            self._transport.write(data)

    def end(self) -> None:
        self.free = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.free = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        kind = f"reset: {exc}" if exc is not None else "cut: closed"
        self._fail(f"{kind} {'in the middle of' if self._begun else 'before'} the answer")

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.end()  # unasked, or nobody waits for it any more
            return
        if not self._headed:
            self._head += data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as fault:
            self._fail(f"garbage: {fault}")
            return
        if self._more:
            self._fail("garbage: more than one answer")
        elif self._whole:
            self._give(self._answer)

    def _give(self, answer: asyncio.Future[Answer]) -> None:
        seconds = time.perf_counter() - self._began
        answer.set_result(Answer(self._parser.get_status_code(), self._head, b"".join(self._parts), seconds))
        self.free = self._stays
        self._settle()
        if not self.free:
            self.end()

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswer(why, time.perf_counter() - self._began))
        self._settle()
        self.end()

    def _settle(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self._answer = None
        self._forget()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._more = self._begun
        self._begun = True

    def on_headers_complete(self) -> None:
        self._headed = True
        self._head, _, self._rest = self._head.partition(_END)

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:  # an interim answer (RFC 9110 §15.2): the one that counts follows
            rest = self._rest
            self._forget()
            self._head = rest
        else:
            self._whole, self._stays = True, self._parser.should_keep_alive()
