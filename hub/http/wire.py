"""HTTP as it arrives: bounded connections, heads and times, and an answer in the path's dialect also for what is no
HTTP (exchange rules 10).

The parser in use takes a head of any size; the server waits for one without end, and answers what it cannot parse with
a text of its own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.errors import Refusal
from hub.http.bodies import PACE
from hub.http.guards import HEADS_LIMIT, Guards
from hub.http.joined import Joined

HEAD_LIMIT = 256 * 1024  # bytes of request line and headers; a broadcast to 3,355 agencies needs 114 KiB
_LINGER = 2.0  # seconds in which what still comes is read and dropped: a reset would take the answer with it


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's protocol with all that; given to it as ``http=``. The application's state has ``guards``, and
    ``refused``: the answer to a refusal of a request to a path."""

    url = b""  # as far as it came
    _guards: Guards
    _address: str | None = None  # while it counts among the connections
    _greeting: asyncio.Task[None] | None = None
    _head = 0  # bytes of the head as far as it was parsed
    _waiting = 0  # bytes that came since, for a head that has no end yet
    _held = 0  # bytes counted among all heads
    _in_head = False
    _refused: Refusal | None = None
    _over = False  # answered for good: nothing more is looked at
    _in_body = False
    _dropping: float | None = None  # since when a body comes whose request is answered
    _dropped = 0  # bytes of it
    _late: asyncio.TimerHandle | None = None  # ends the wait for a head, or for a connection that closes
    _stuck: asyncio.TimerHandle | None = None  # ends the wait for a client that reads nothing

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        if transport.get_extra_info("sslcontext") is not None:
            self._begin(transport)
            return
        self._guards = self.app_state["guards"]
        address = (transport.get_extra_info("peername") or ("",))[0]
        if not self._guards.enter(address):
            transport.abort()
            return
        self._address = address
        if self._guards.tls is None:
            self._begin(transport)
            return
        # TLS only now, so that a connection counts from its first moment and not from the end of its handshake; on
        # the socket itself, since a transport may have read of it already.
        taken_over = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        transport.abort()
        self._greeting = self.loop.create_task(self._greet(taken_over, self._guards.tls))

    async def _greet(self, client: socket.socket, context: ssl.SSLContext) -> None:
        try:
            await self.loop.connect_accepted_socket(
                lambda: self, client, ssl=context, ssl_handshake_timeout=self._guards.head_timeout,
                ssl_shutdown_timeout=_LINGER,
            )  # fmt: skip
        except OSError:  # no TLS, none in time, or hung up
            client.close()
            self._leave()

    def _begin(self, transport: asyncio.Transport) -> None:
        super().connection_made(cast(asyncio.Transport, Joined(transport, self.loop)))
        self._late = self.loop.call_later(self._guards.head_timeout, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is not None:  # else it never began, or goes on with TLS
            self._leave()
            super().connection_lost(exc)

    def _leave(self) -> None:
        for timer in (self._late, self._stuck):
            if timer is not None:
                timer.cancel()
        self._hold(0)
        if self._address is not None:
            self._guards.leave(self._address)
            self._address = None

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        if self._in_head:
            self._waiting += len(data)
            if self._waiting > HEAD_LIMIT:
                self._refuse(Refusal("head-too-large", facts={"limit": HEAD_LIMIT}))
                return
        super().data_received(data)
        if self._over or self.transport.is_closing():
            return
        if self._in_head and not self._hold(self._held + len(data)):
            self._refuse(Refusal("busy", retry_after=5))
        elif self._in_body and self.cycle.response_complete:
            self._drop(len(data))
        # Also where line ends come that begin nothing.
        elif self._late is None and (self._in_head or self.cycle is None or self.cycle.response_complete):
            self._late = self.loop.call_later(self._guards.head_timeout, self._head_late)

    def _drop(self, size: int) -> None:
        """The field's clients read no answer before they have written all of their body: let them, at the pace and with
        the patience for a body that is read.
        """
        now = self.loop.time()
        if self._dropping is None:
            self._dropping, self._dropped = now, 0
        self._dropped += size
        if self._dropped > self._guards.dropped_most:
            self._end()
            return
        if self._late is not None:
            self._late.cancel()
        patience = self._guards.patience
        until = min(now, self._dropping + self._dropped / PACE) + patience
        self._late = self.loop.call_at(until, self._head_late)

    def _hold(self, size: int) -> bool:
        """Count this head among all; whether there is room for it."""
        if size != self._held:
            self._guards.heads += size - self._held
            self._held = size
        return self._guards.heads <= HEADS_LIMIT

    def _head_late(self) -> None:
        self._late = None
        if self._in_head:
            self._refuse(Refusal("head-late"))
        else:
            self._end()

    def _end(self) -> None:
        """Close, and do not wait for ever until the client has read what was written."""
        self.transport.close()
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(self._guards.patience, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        self._end()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._end()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self._guards.patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def on_message_begin(self) -> None:
        self._head, self._waiting, self._in_head = 0, 0, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)  # the colon, a blank and the line's end
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body, self._dropping = False, True, None
        self._hold(0)
        if self._late is not None:
            self._late.cancel()
            self._late = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_LIMIT:
            self._refused = Refusal("head-too-large", facts={"limit": HEAD_LIMIT})
            raise ValueError("the head is too large")  # the parser stops, and asks for the answer below

    def _refuse(self, refusal: Refusal) -> None:
        self._refused = refusal
        self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """The answer to what cannot be served; nothing more is read. ``msg`` is the server's own text, not told.

        A request that came whole before it is answered for itself, and the connection ends behind that answer.
        """
        self._over = True
        self._hold(0)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        answer = self.app_state["refused"](self.url.decode("latin-1"), self._refused or Refusal("request-malformed"))
        lines = [f"HTTP/1.1 {answer.status_code} \r\n".encode(), b"connection: close\r\n"]
        lines += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join((*lines, b"\r\n", bytes(answer.body))))
        if not self.transport.can_write_eof():  # TLS says so itself
            self._end()
            return
        self.transport.write_eof()
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(_LINGER, self.transport.abort)
