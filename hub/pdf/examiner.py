"""Has a process of its own open packets and examine PDF files, so that none of them can stop the hub.

All of it waits in the thread that asks, with the interpreter's lock let go: the event loop has no part in it.
"""

from __future__ import annotations

import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from hub import metrics
from hub.domain import edxml
from hub.pdf.findings import Asked, Reason, Report, Signer, Unexamined, unexamined
from hub.pdf.line import NO_MEMORY, READY, Answer, heard, message, received

log = structlog.get_logger()
_READY_WITHIN = 30.0  # seconds that the process may take to start
_ENDS_WITHIN = 5.0  # seconds until the exit status of one that closed its line
_ENDS: dict[int, Reason] = {-signal.SIGXCPU: "time", NO_MEMORY: "memory", -signal.SIGKILL: "memory"}  # by exit status
_SOON = 0.5  # seconds that an ordinary answer takes at most
_T = TypeVar("_T")


def _nothing() -> None:
    pass


class ClosedError(OSError):
    """The examiner was closed meanwhile: nothing was found out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For one question: seconds on the clock, seconds of processor time, bytes of address space; and the seconds on
    the clock for all files of a packet."""

    seconds: float = 20.0
    cpu_seconds: int = 15
    memory: int = 1 << 30
    packet_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class File:
    """The n-th attachment of a packet (``part``, from 1), which is named .pdf or begins as a PDF (``is_pdf``)."""

    part: int
    name: str
    sha256: str
    is_pdf: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """``signer``: what the packet's certificate is worth, where that was asked."""

    files: tuple[File, ...]
    signer: Report | None = None


class Examiner:
    """One process, asked by one thread at a time; a context manager, that any thread may :meth:`close`.

    The process is started with the first question and replaced when a file ends it. Whoever asks has OSError where
    there is none, and may ask again later.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._process: _Process | None = None
        self._closed = False
        self._grounds = b""
        self._opening: tuple[bytes, bytes] = b"", b""
        self._until = 0.0
        self._is_first = False  # the process to be started next is not for want of one that this packet ended
        self._meanwhile = _nothing
        self._asking = threading.Lock()

    def __enter__(self) -> Examiner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process. Who waits for it has ClosedError, and so has everybody later."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        with self._asking:  # whoever asks closes the line
            self._end()

    def know(self, grounds: Asked) -> None:
        """Judge on this from now on, but for what each question says itself."""
        self._grounds = pickle.dumps(("know", grounds), pickle.HIGHEST_PROTOCOL)

    def open(
        self,
        packet: bytes,
        limits: edxml.Limits,
        signer: Signer | None = None,
        meanwhile: Callable[[], None] = _nothing,
    ) -> Opened | Unexamined:
        """The PDF files of a packet, which :meth:`examine` takes from now on. ``meanwhile`` is done, for each question
        about them too, when an answer is not there at once."""
        self._meanwhile = meanwhile
        self._until, self._is_first = time.monotonic() + self.limits.packet_seconds, self._process is None
        self._opening = pickle.dumps(("open", limits, signer), pickle.HIGHEST_PROTOCOL), packet
        if self._process is not None:
            self._process.has_packet = False
        return self._answered(b"", _opened)

    def examine(self, part: int, at: datetime, agency: str = "", names: tuple[str, ...] = ()) -> Report:
        """What the signatures of a PDF file are worth, or that it could not be examined. ``at``, ``agency`` and
        ``names``: ``received``, ``agency`` and ``names`` of :class:`Asked`."""
        question = pickle.dumps(("examine", part, at, agency, names), pickle.HIGHEST_PROTOCOL)
        found = self._answered(question, lambda answer: answer.report(answer.said))
        return found.report if isinstance(found, Unexamined) else found

    def _answered(self, question: bytes, read: Callable[[Answer], _T]) -> _T | Unexamined:
        """``question`` about the packet that was opened last; empty: its opening."""
        with self._asking:
            return self._tried(question, read)

    def _tried(self, question: bytes, read: Callable[[Answer], _T]) -> _T | Unexamined:
        if time.monotonic() >= self._until:
            return unexamined("time")
        reason: Reason = "crash"
        for patience in (True, False):
            process = self._process or self._started()
            try:
                return read(self._asked(process, question))
            except TimeoutError:
                reason = "time"
            except (EOFError, ConnectionError):
                status = process.ended()
                # Killed by somebody, or by the system for want of memory: that may not have been for this file.
                if patience and status == -signal.SIGKILL and not self._closed:
                    self._end()
                    continue
                reason = _ENDS.get(status, "crash")
            except (ValueError, TypeError, KeyError):  # no answer that an honest process gives
                reason = "crash"
            except BaseException:  # of what is done meanwhile: the answer would be taken for that to the next question
                self._end()
                raise
            break
        self._end()
        if self._closed:
            raise ClosedError("the examiner was closed")
        log.warning("pdf-not-examined", reason=reason)
        metrics.RESTARTS.add("examiner")
        return unexamined(reason)

    def _asked(self, process: _Process, question: bytes) -> Answer:
        until = min(time.monotonic() + self.limits.seconds, self._until)
        if process.grounds is not self._grounds:
            process.say(self._grounds, b"", until)
            process.grounds = self._grounds
        if not process.has_packet:
            process.say(*self._opening, until)
            opened = self._heard(process, until)
            process.has_packet = True
            if not question:
                return opened
        process.say(question, b"", until)
        return self._heard(process, until)

    def _heard(self, process: _Process, until: float) -> Answer:
        if not process.has_said(_SOON):
            self._meanwhile()
        return heard(process.line, until)

    def _started(self) -> _Process:
        process = self._process = _Process(self.limits)
        began = time.monotonic()
        try:
            if self._closed:
                raise ClosedError("the examiner was closed")
            process.begin()
        except BaseException:
            self._end()
            raise
        if self._is_first:  # that is not the packet's time; to replace what it has ended is
            self._until += time.monotonic() - began
        self._is_first = False
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def _opened(answer: Answer) -> Opened | Unexamined:
    if answer.said is None:
        return unexamined("packet")
    signer = answer.said["signer"]
    return Opened(tuple(File(*file) for file in answer.said["files"]), answer.report(signer) if signer else None)


class _Process:
    """The process as the hub sees it, and what it was told already."""

    def __init__(self, limits: Limits) -> None:
        self.grounds = b""
        self.has_packet = False
        self.line, there = socket.socketpair()
        call = f"from hub.pdf.confined import main; main({limits.memory}, {limits.cpu_seconds})"
        with there:
            command = [sys.executable, "-c", call]
            try:
                self._process = subprocess.Popen(command, stdin=there.fileno(), stdout=subprocess.DEVNULL)  # noqa: S603  (our own)
            except BaseException:
                self.line.close()
                raise

    def begin(self) -> None:
        """Wait until it can be asked. Raises OSError where it cannot."""
        try:
            received(self.line, len(READY), time.monotonic() + _READY_WITHIN)
        except (EOFError, OSError) as fault:
            raise OSError("the process that examines PDF files does not start") from fault

    def say(self, text: bytes, octets: bytes, until: float) -> None:
        """Raises TimeoutError, ConnectionError."""
        for part in (message(text, beside=len(octets)), octets):
            self.line.settimeout(max(until - time.monotonic(), 0.001))
            self.line.sendall(part)

    def has_said(self, seconds: float) -> bool:
        """Whether an answer begins within these seconds."""
        waiting = select.poll()
        waiting.register(self.line, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def ended(self) -> int:
        """The exit status of a process that closed its line."""
        try:
            return self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            return 0

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        self.line.close()
