"""The traffic file: one line of facts and the two bodies of each exchange, in the order in which they ended.

``{"agency-traffic": 1, "hub": …, "begun": …}`` and a line's end; then for each exchange a line of JSON with ``request``
and ``answer`` as numbers of bytes, these bytes, and a line's end. Nothing refers to what comes later: of a recorder
that was killed, all exchanges that had ended can be read, and the last that is torn is told.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Any

_KEY, _VERSION = "agency-traffic", 1
_LINE_LIMIT = 16 * 1024 * 1024  # bytes of a line of facts: of the longest head each byte may stand in it twice, in six
_COPIED = 256 * 1024  # bytes at once
_IN_MEMORY = 128 * 1024  # bytes of a body under way; more of it waits on disk
_LONGEST = 10 * 366 * 86_400.0  # seconds that a recording may go on


class TrafficProblem(Exception):  # noqa: N818  (it is the file that has one)
    """The file cannot be written or read; the text says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. ``at`` is when it began, in seconds since the file's ``begun``, ``took`` how long it
    went on. ``status`` is 0 and ``lost`` says why where no answer came, or none whole. ``request`` and ``answer`` are
    where the bodies lie in the file: (offset, bytes). The others as in :class:`heard.Heard`.
    """

    at: float
    took: float
    dialect: str
    system: str
    operation: str
    method: str
    path: str
    said: Mapping[str, str]
    status: int
    lost: str
    packed: str  # Content-Encoding of the answer
    request: tuple[int, int]
    answer: tuple[int, int]


class TrafficWriter:
    """A new file; a context manager. Raises :class:`TrafficProblem`, also for a file that is there already.

    What cannot be written whole is taken back, so that the file stays one that can be read, or is none at all.
    """

    def __init__(self, path: Path, hub: str, begun: datetime) -> None:
        self._folder = path.parent
        try:
            # What travels is not for other users of the machine.
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as fault:
            raise TrafficProblem(f"{path}: {fault.strerror}") from None
        self._path, self._end = path, 0
        try:
            self._append(_line({_KEY: _VERSION, "hub": hub, "begun": begun.isoformat()}))
        except TrafficProblem:
            os.close(self._file)
            path.unlink()
            raise

    def __enter__(self) -> TrafficWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        try:
            os.fsync(self._file)
        except OSError as broken:
            raise TrafficProblem(f"{self._path}: {broken.strerror}") from None
        finally:
            os.close(self._file)

    def spool(self) -> IO[bytes]:
        """Where a body waits until its exchange has ended."""
        spooled: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY, dir=str(self._path.parent))  # noqa: SIM115  (ends later)
        return spooled

    def add(self, facts: dict[str, Any], request: IO[bytes], answer: IO[bytes]) -> None:
        """Of an exchange that has ended; it is with the system when this returns. Raises :class:`TrafficProblem`."""
        self._append(_line(facts | {"request": request.tell(), "answer": answer.tell()}), request, answer, b"\n")

    def _append(self, *parts: bytes | IO[bytes]) -> None:
        try:
            written = sum(self._write(part) for part in parts)
        except OSError as fault:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            raise TrafficProblem(f"{self._path}: {fault.strerror}") from None
        self._end += written

    def _write(self, part: bytes | IO[bytes]) -> int:
        source: IO[bytes] = io.BytesIO(part) if isinstance(part, bytes) else part
        source.seek(0)
        written = 0
        while data := source.read(_COPIED):
            while data:
                done = os.write(self._file, data)
                written, data = written + done, data[done:]
        return written


def _line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


class TrafficFile:
    """A file to read; a context manager. ``torn`` once it was iterated: its last exchange is not whole."""

    def __init__(self, path: Path) -> None:
        """Raises :class:`TrafficProblem`."""
        self.torn, self._path = False, path
        try:
            self._file = open(path, "rb")  # noqa: SIM115  (closed by :meth:`__exit__`)
        except OSError as fault:
            raise TrafficProblem(f"{path}: {fault.strerror}") from None
        try:
            self.begun = self._head()
        except BaseException:
            self._file.close()
            raise
        self._first = self._file.tell()

    def _head(self) -> datetime:
        try:
            head = json.loads(self._file.readline(_LINE_LIMIT))
            version, begun = head[_KEY], datetime.fromisoformat(head["begun"])
            if begun.tzinfo is None or not 1970 < begun.year < 2100:
                raise ValueError("no moment of a recording")
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            raise TrafficProblem(f"{self._path}: not a traffic file, as agency record writes it") from None
        if version != _VERSION:
            raise TrafficProblem(f"{self._path}: written by another version ({version})")
        return begun

    def __enter__(self) -> TrafficFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Exchange]:
        """Raises :class:`TrafficProblem` where the file is damaged other than at its end, or tells what no recorder
        writes."""
        at, size = self._first, os.fstat(self._file.fileno()).st_size
        while at < size:
            self._file.seek(at)
            line = self._file.readline(_LINE_LIMIT)
            start = at + len(line)
            try:
                exchange = _exchange(json.loads(line), start)
                end = sum(exchange.answer)
            except (ValueError, LookupError, TypeError, RecursionError):
                if start < size:
                    raise TrafficProblem(f"{self._path}: damaged at byte {at}") from None
                end = size
            if end + 1 > size:
                self.torn = True
                return
            if self._read(end, 1) != b"\n":
                raise TrafficProblem(f"{self._path}: damaged at byte {end}")
            yield exchange
            at = end + 1

    def request(self, exchange: Exchange) -> bytes:
        """The body as it was sent."""
        return self._read(*exchange.request)

    def answer(self, exchange: Exchange) -> bytes:
        """The body as it came; ``packed`` says whether it is compressed."""
        return self._read(*exchange.answer)

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, offset)  # in one step: packets are read by several threads


def _exchange(facts: Any, start: int) -> Exchange:
    """A line of facts; ``start``: where its bodies begin. Raises ``ValueError``, ``LookupError`` or ``TypeError`` for
    what no recorder writes."""
    request, answer = _count(facts["request"]), _count(facts["answer"])
    return Exchange(
        at=_seconds(facts["at"]),
        took=_seconds(facts["took"]),
        dialect=_text(facts["dialect"]),
        system=_text(facts["system"]),
        operation=_text(facts["operation"]),
        method=_text(facts["method"]),
        path=_text(facts["path"]),
        said={_text(name): _text(value) for name, value in dict(facts["said"]).items()},
        status=_count(facts["status"]),
        lost=_text(facts["lost"]),
        packed=_text(facts["packed"]),
        request=(start, request),
        answer=(start + request, answer),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    value.encode()  # half a surrogate pair can be written nowhere
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("no number of anything")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= _LONGEST:  # NaN neither
        raise ValueError("no moment of a recording")
    return float(value)
