"""HTTP as it arrives: a bounded head, and a problem answer also for what is no HTTP (exchange rules 10).

The parser in use takes a head of any size, and the server answers what it cannot parse with a text of its own.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.api.problems import problem
from hub.errors import Refusal

HEAD_LIMIT = 256 * 1024  # bytes of request line and headers; a broadcast to 3,355 agencies needs 114 KiB


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's protocol with both; given to it as ``http=``."""

    _head = 0  # bytes of the head as far as it was parsed
    _waiting = 0  # bytes that came since, for a head that has no end yet
    _in_head = False
    _too_large = False

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._waiting += len(data)
            if self._waiting > HEAD_LIMIT:
                self._too_large = True
                self.send_400_response("")
                return
        super().data_received(data)

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
        self._in_head = False
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_LIMIT:
            self._too_large = True
            raise ValueError("the head is too large")  # the parser stops, and asks for the answer below

    def send_400_response(self, msg: str) -> None:
        """The answer to what cannot be served; nothing more is read. ``msg`` is the server's own text, not told.

        A request that came whole before it is answered for itself, and the connection ends behind that answer.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if self._too_large:
            answer = problem(Refusal("head-too-large", facts={"limit": HEAD_LIMIT}))
        else:
            answer = problem(Refusal("request-malformed"))
        lines = [f"HTTP/1.1 {answer.status_code} \r\n".encode(), b"connection: close\r\n"]
        lines += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join((*lines, b"\r\n", bytes(answer.body))))
        self.transport.close()
