"""An answer's head and body in one go."""

from __future__ import annotations

import asyncio
from typing import Any

_BEGINS = b"HTTP/1."


class Joined:
    """A transport to write to that sends the head of an answer together with what is written next.

    The server writes both apart; each is a call to the system, and the client wakes for a head that tells it nothing
    yet. A head that nothing follows in the same turn of the event loop goes by itself.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._to, self._loop = transport, loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._to.writelines((head, data))
        elif data.startswith(_BEGINS):
            self._head = data
            self._loop.call_soon(self._send)
        else:
            self._to.write(data)

    def close(self) -> None:
        self._send()
        self._to.close()

    def write_eof(self) -> None:
        self._send()
        self._to.write_eof()

    def _send(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._to.write(head)
