"""HTTP spoken by hand over a real socket: for what no client library would send."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from builders.axis import Peer

_PATIENCE = 30.0  # seconds until a test that hangs fails


@dataclass
class Answer:
    """An answer as it came; ``body`` is its JSON. ``rest`` is what the hub sent after it."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]
    rest: bytes


class Wire:
    """A connection to the hub, spoken by hand."""

    def __init__(self, url: str, *, trust: ssl.SSLContext | None = None, source: str = "127.0.0.1") -> None:
        host, _, port = url.partition("://")[2].partition(":")
        self.socket: socket.socket = socket.create_connection((host, int(port)), _PATIENCE, (source, 0))
        if trust is not None:
            self.socket = trust.wrap_socket(self.socket, server_hostname=host)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.socket.close()

    def say(self, *lines: str, body: bytes = b"") -> Wire:
        return self.pour("\r\n".join((*lines, "", "")).encode("latin-1") + body)

    def pour(self, data: bytes) -> Wire:
        self.socket.sendall(data)
        return self

    def hear(self) -> Answer:
        """The next answer; an empty one (status 0) when the hub hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                return Answer(0, {}, {}, data)
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        headers = dict(field.lower().split(": ", 1) for field in fields)
        size = int(headers.get("content-length", "0"))
        while len(body) < size:
            part = self.socket.recv(65536)
            assert part, "the hub hung up in the middle of its answer"
            body += part
        is_json = "json" in headers.get("content-type", "")
        return Answer(int(first.split()[1]), headers, json.loads(body[:size]) if is_json else {}, body[size:])

    def rest(self) -> bytes:
        """What else the hub sends until it closes."""
        return b"".join(iter(lambda: self.socket.recv(65536), b""))

    def hung_up(self) -> bool:
        """Whether the hub closes, or cuts, without another byte."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def post(path: str, peer: Peer | None, *more: str) -> list[str]:
    token = [f"Authorization: Bearer {peer.credentials['token']}"] if peer else []
    return [f"POST {path} HTTP/1.1", "Host: hub.example.vn", *token, *more]
