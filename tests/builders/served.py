"""A hub as its users meet it: served on a socket, or in this event loop; and a line to it on which things go wrong.

Enrolling goes past the interface, through the hub's own desk (``axis``); time stands still until a test moves it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from builders.axis import Axis, Clock
from fastapi import FastAPI

from hub.app import create_app
from hub.http import wire
from hub.http.wire import GuardedHttp
from hub.settings import Settings

_PATIENCE = 30.0  # seconds until a test that hangs fails


@dataclass
class Served:
    """A hub that answers at ``base_url``."""

    base_url: str
    axis: Axis


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.decided = threading.Event()  # the application runs, or never will

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.decided.set()

    def run_in_thread(self, listener: socket.socket) -> None:
        try:
            self.run([listener])
        finally:
            self.decided.set()


@contextmanager
def a_served_hub(folder: Path, database_url: str = "", **changes: Any) -> Iterator[Served]:
    """The hub on a free port of 127.0.0.1, in a thread of its own; ``changes`` are settings."""
    clock = Clock()
    app = create_app(Settings(data_dir=folder, database_url=database_url, checkers=0, **changes), clock=clock)
    config = uvicorn.Config(
        app, http=GuardedHttp, ws="none", loop="asyncio", log_config=None, access_log=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # As uvloop does for the hub; asyncio knows only sockets that name their protocol, and answers would wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=server.run_in_thread, args=(listener,), name="served-hub")
        thread.start()
        try:
            assert server.decided.wait(_PATIENCE), "the hub does not start"
            assert server.started, "the hub did not start"
            yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", Axis(app.state.interface.desk, clock))
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)
            assert not thread.is_alive(), "the hub does not end"


@contextmanager
def a_lingering_hub(folder: Path) -> Iterator[Served]:
    """The same, which lingers longer than a test for whoever still sends."""
    with pytest.MonkeyPatch.context() as patient, a_served_hub(folder) as hub:
        patient.setattr(wire, "_LINGER", 60.0)
        yield hub


@asynccontextmanager
async def a_hub_in_this_loop(folder: Path, **changes: Any) -> AsyncIterator[tuple[FastAPI, Axis]]:
    """The hub as an ASGI application that has started; ``changes`` are settings."""
    clock = Clock()
    app = create_app(Settings(data_dir=folder, checkers=0, **changes), clock=clock)
    async with app.router.lifespan_context(app):
        yield app, Axis(app.state.interface.desk, clock)


Deed = Callable[["Line", socket.socket, bytes], None]  # what happens to one request


@dataclass
class Line:
    """What lies between a client and the hub at ``upstream``: does its ``deeds`` one after the other, one for each
    connection, and passes everything once they are done. ``requests`` are the requests as they came, whole.
    """

    upstream: str = ""
    deeds: list[Deed] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    base_url: str = ""

    def ask(self, request: bytes) -> bytes:
        """The hub's whole answer to a request."""
        host, _, port = self.upstream.removeprefix("http://").partition(":")
        head, _, body = request.partition(b"\r\n\r\n")
        with socket.create_connection((host, int(port)), _PATIENCE) as hub:
            hub.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            return b"".join(iter(lambda: hub.recv(65536), b""))


def passes(line: Line, client: socket.socket, request: bytes) -> None:
    """Nothing goes wrong."""
    client.sendall(line.ask(request))


def cuts(line: Line, client: socket.socket, request: bytes) -> None:
    """The connection ends before the hub hears of it."""


def loses_the_answer(line: Line, client: socket.socket, request: bytes) -> None:
    """The hub does what was asked; its answer never comes back."""
    line.ask(request)


def breaks_the_answer_off(line: Line, client: socket.socket, request: bytes) -> None:
    """The last ten bytes of the hub's answer are missing."""
    client.sendall(line.ask(request)[:-10])


def is_silent(line: Line, client: socket.socket, request: bytes) -> None:
    """No answer until the client hangs up."""
    client.recv(1)


def changes_a_byte(line: Line, client: socket.socket, request: bytes) -> None:
    """The last byte of the hub's answer is another."""
    answer = line.ask(request)
    client.sendall(answer[:-1] + bytes([answer[-1] ^ 1]))


def answers(status: int, body: bytes = b"", **headers: str) -> Deed:
    """Somebody on the way answers; ``headers`` with ``_`` for ``-``."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda line, client, request: client.sendall(answer)


@contextmanager
def a_line(*deeds: Deed, to: str = "") -> Iterator[Line]:
    """A line to the hub at ``to`` (without one only ``deeds`` that need no hub)."""
    line = Line(to, list(deeds))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop = threading.Event()
        thread = threading.Thread(target=_run, args=(line, listener, stop), name="line")
        thread.start()
        try:
            yield line
        finally:
            stop.set()
            socket.create_connection(listener.getsockname(), _PATIENCE).close()  # wakes the thread
            thread.join(_PATIENCE)
            assert not thread.is_alive(), "the line does not end"


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A port of 127.0.0.1 that is taken, and on which connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def _run(line: Line, listener: socket.socket, stop: threading.Event) -> None:
    while True:
        client, _ = listener.accept()
        with client:
            if stop.is_set():
                return
            client.settimeout(_PATIENCE)
            try:
                request = _read_request(client)
                if request:
                    line.requests.append(request)
                    deed = line.deeds.pop(0) if line.deeds else passes
                    deed(line, client, request)
            except OSError:
                continue  # the client hung up


def _read_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    size = int(fields.get(b"content-length", b"0"))
    while len(body) < size:
        part = client.recv(65536)
        if not part:
            return b""
        body += part
    return head + b"\r\n\r\n" + body
