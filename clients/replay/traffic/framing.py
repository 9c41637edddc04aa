"""Where an HTTP/1.1 message ends, read beside bytes that are passed on as they are (RFC 9112 §6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_LIMIT = 1024 * 1024  # bytes of a head; a broadcast to all communes needs 114 KiB
_LINE_LIMIT = 64 * 1024  # of a chunk's size or a trailer
_UNENDING = -1  # the length of a body that ends with its connection
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,18}")


class BadFraming(ValueError):  # noqa: N818  (a property of what was heard)
    """It cannot be told where the message ends."""


@dataclass(frozen=True, slots=True)
class Head:
    """``raw`` with its blank line; names of ``fields`` in lower case, values trimmed."""

    raw: bytes
    first: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    def field(self, name: bytes) -> bytes:
        """The values of a field as one, or empty."""
        return b", ".join(value for key, value in self.fields if key == name)

    @property
    def method(self) -> bytes:
        return self.first.split(b" ", 1)[0]

    @property
    def target(self) -> bytes:
        """Of a request. Raises :class:`BadFraming`."""
        parts = self.first.split(b" ")
        if len(parts) != 3:
            raise BadFraming("the first line is no request")
        return parts[1]

    @property
    def status(self) -> int:
        """Of an answer. Raises :class:`BadFraming`."""
        parts = self.first.split(b" ", 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not (len(parts[1]) == 3 and parts[1].isdigit()):
            raise BadFraming("the first line is no answer")
        return int(parts[1])


def read_head(raw: bytes) -> Head:
    first, *lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    return Head(raw, first, tuple((name.strip().lower(), value.strip()) for name, _, value in pairs))


class Body:
    """A body as it comes; ``done`` when no byte of it is missing."""

    def __init__(self, length: int, *, chunked: bool = False) -> None:
        self._left, self._chunked = (0 if chunked else length), chunked
        self._step = "size"  # of a chunked body: size, data, end (of a chunk's data), trailer
        self.done = not chunked and length == 0

    @property
    def ends_with_connection(self) -> bool:
        return self._left == _UNENDING

    def take(self, data: bytes) -> tuple[int, bytes]:
        """How many bytes of ``data`` belong to it, and what they carry. Raises :class:`BadFraming`."""
        if self.done:
            return 0, b""
        if self._chunked:
            return self._take_chunks(data)
        used = len(data) if self.ends_with_connection else min(self._left, len(data))
        if not self.ends_with_connection:
            self._left -= used
            self.done = self._left == 0
        return used, data[:used]

    def _take_chunks(self, data: bytes) -> tuple[int, bytes]:
        at, parts = 0, []
        while not self.done:
            if self._step == "data":
                part = data[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if self._left:
                    break
                self._step = "end"
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                if len(data) - at > _LINE_LIMIT:
                    raise BadFraming("a chunk without a size")
                break
            self._read_line(data[at:end])
            at = end + 2
        return at, b"".join(parts)

    def _read_line(self, line: bytes) -> None:
        if self._step == "size":
            size = _SIZE.fullmatch(line)
            if size is None:
                raise BadFraming("a chunk without a size")
            self._left = int(size[1], 16)
            self._step = "data" if self._left else "trailer"
        elif self._step == "end":
            if line:
                raise BadFraming("a chunk longer than its size")
            self._step = "size"
        elif not line:
            self.done = True


def request_body(head: Head) -> Body:
    return _sized(head) or Body(0)


def answer_body(head: Head, method: bytes) -> Body:
    if method == b"HEAD" or head.status in {204, 304} or 100 <= head.status < 200:
        return Body(0)
    return _sized(head) or Body(_UNENDING)


def _sized(head: Head) -> Body | None:
    if head.field(b"transfer-encoding").lower().rpartition(b",")[2].strip() == b"chunked":
        return Body(0, chunked=True)
    lengths = {value for name, value in head.fields if name == b"content-length"}
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise BadFraming("Content-Length is no one number")
    return Body(int(length))
