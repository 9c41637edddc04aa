"""The gateway dialect down to its bytes: requests that no client would sign, and answers as a client must read them.

Every answer is checked here, so no test can meet one unseen that would leave a client without a result.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builders.axis import Peer
from builders.served import Served
from builders.wire import Wire

from clients.gateway_client import Answer
from clients.gateway_client.answers import read_answer
from clients.gateway_client.headers import compact

Headers = list[tuple[bytes, bytes]]
ARGUMENTS_ONLY = (
    "getAgenciesList", "getAgenciesListQD20", "getSynchronizeUnit", "deleteAgency", "getReceivedEdocList",
    "getSentEdocList", "getEdoc", "updateStatus", "countReceiveEdoc", "countReceiveStatus",
)  # fmt: skip
WITH_BODY = (*ARGUMENTS_ONLY, "registerAgency", "sendEdoc")
METHODS = (*WITH_BODY, "downloadEdoc")


@dataclass(frozen=True)
class Heard:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def read(self, method: str) -> Answer:
        """As a client reads it. A refused download is an empty body: an Answer with HTTP status alone."""
        assert "content-encoding" not in self.headers
        assert self.headers["content-length"] == str(len(self.content))
        if method.startswith("downloadEdoc"):
            assert self.content == b"", "a client would keep it as the document"
            return Answer(False, "", "", {}, self.status)
        assert self.content.isascii()
        answer = read_answer(method, self.status, self.content)
        assert self.status == (503 if answer.code == "99" else 200)
        assert ("retry-after" in self.headers) is (answer.code == "99")
        assert not _has_null(answer.body)
        return answer


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_has_null, value)))


def hear(wire: Wire) -> Heard:
    """The next answer; what comes behind it is not read, as far as it can be helped."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = wire.socket.recv(65536)
        assert part, f"the hub hung up after {data!r}"
        data += part
    head, _, content = data.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    while len(content) < int(headers.get("content-length", "0")):
        part = wire.socket.recv(65536)
        assert part, "the hub hung up in the middle of its answer"
        content += part
    return Heard(int(first.split()[1]), headers, content)


def sealed(text: bytes, secret: str) -> Headers:
    """The two header lines over any text."""
    digest = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return [(b"XroadVnpt-sign-header", text), (b"XroadVnpt-hash-header", digest.encode())]


def said(peer: Peer, arguments: Mapping[str, str] | None = None, secret: str = "") -> Headers:
    """The same over these arguments, without a line of its own for any of them."""
    values = {"systemid": peer.system_id} | dict(arguments or {})
    text = compact({f"XroadVnpt-{name}": value for name, value in values.items()})
    return sealed(text.encode(), secret or peer.credentials["secret"])


def raw(method: str, headers: Headers, body: bytes = b"", *, prefix: str = "/axis", verb: str = "") -> bytes:
    """A whole request."""
    verb = verb or ("GET" if method.startswith("downloadEdoc") else "POST")
    lines = [f"{verb} {prefix}/{method} HTTP/1.1".encode(), b"Host: hub.example.vn"]
    lines += [name + b": " + value for name, value in headers]
    if body or verb != "GET":
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join((*lines, b"", b"")) + body


def ask(hub: Served, method: str, headers: Headers, body: bytes = b"", *, source: str = "127.0.0.1") -> Answer:
    """One request on a connection of its own, and its answer as a client reads it."""
    return pour(hub, raw(method, headers, body), source=source).read(method)


def pour(hub: Served, data: bytes, *, source: str = "127.0.0.1") -> Heard:
    """The same for any bytes, and the answer as it came."""
    with Wire(hub.base_url, source=source) as wire:
        return hear(wire.pour(data))


def problem(hub: Served, data: bytes) -> tuple[int, str]:
    """The answer of whoever is not the dialect: a problem of the REST interface."""
    heard = pour(hub, data)
    assert heard.headers["content-type"] == "application/problem+json"
    return heard.status, json.loads(heard.content)["code"]
