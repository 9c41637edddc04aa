"""Where packets are checked: in processes of their own, or in threads of this one.

A check is a pure function of a packet, a directory snapshot and a moment. In a process of its own it runs beside the
interface and the writer instead of in turn with them, holds no key and no database, and whatever a hostile packet
makes of it, the hub goes on: a checker that dies or hangs is replaced, and only the packet it had in hand is answered
with a fault.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from hub import metrics
from hub.errors import Refusal
from hub.exchange.checker import HEAD, Known, content, lengths, message
from hub.store.roster import Roster

log = structlog.get_logger()
_PATIENCE = 60.0  # seconds that one check may take; the largest packet takes about one
_PAUSE = 1.0  # seconds before a checker that died is replaced


class Checkers(Protocol):
    """Runs ``function(*arguments)`` away from the event loop; raises what it raises."""

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any: ...


@dataclass(frozen=True)
class Threads:
    """Checks in threads of this process."""

    pool: Executor

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)


class Processes:
    """Checks in ``count`` processes; an asynchronous context manager. Functions are named by their modules."""

    def __init__(self, count: int) -> None:
        self._processes = [_Process() for _ in range(count)]

    async def __aenter__(self) -> Processes:
        for process in self._processes:
            process.keeper = asyncio.create_task(process.keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            process.keeper.cancel()
        await asyncio.gather(*(process.keeper for process in self._processes), return_exceptions=True)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        process = min(self._processes, key=lambda process: len(process.asked))
        return await process.ask(function, arguments)


@dataclass(slots=True)
class _Question:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    answer: asyncio.Future[Any]

    def close(self, result: Any, raised: BaseException | None = None) -> None:
        if self.answer.done():  # whoever asked is gone
            return
        if raised is None:
            self.answer.set_result(result)
        else:
            self.answer.set_exception(raised)


class _Line(asyncio.Protocol):
    """The hub's end of the line to a checker: bytes to messages."""

    def __init__(self, heard: Callable[[Any], None]) -> None:
        self._heard = heard
        self._received = bytearray()
        self.over = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= HEAD:
            text, packet = lengths(self._received[:HEAD])
            end = HEAD + text + packet
            if len(self._received) < end:
                return
            said = bytes(self._received[HEAD:end])
            del self._received[:end]
            self._heard(content(said[:text], said[text:]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():  # else the hub itself ended the line
            self.over.set_result(None)


class _Process:
    """One checker as the hub sees it. It answers in the order it is asked."""

    keeper: asyncio.Task[None]

    def __init__(self) -> None:
        self.asked: deque[_Question] = deque()
        self._to: asyncio.WriteTransport | None = None
        self._version: tuple[int, int] | None = None  # of the roster it has

    async def ask(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        question = _Question(function, arguments, asyncio.get_running_loop().create_future())
        self.asked.append(question)
        if self._to is not None:
            self._send(self._to, question)
        return await question.answer

    def _send(self, to: asyncio.WriteTransport, question: _Question) -> None:
        arguments = list(question.arguments)
        for place, argument in enumerate(arguments):
            if isinstance(argument, Roster):
                if (argument.version, argument.units) != self._version:
                    to.writelines(message(replace(argument, secrets={})))
                    self._version = argument.version, argument.units
                arguments[place] = Known
            elif isinstance(argument, bytes):
                arguments[place] = pickle.PickleBuffer(argument)
        to.writelines(message((question.function, arguments)))

    async def keep(self) -> None:
        """Start the checker, and another whenever it ends or hangs."""
        while True:
            here, there = socket.socketpair()
            with there:
                command = [sys.executable, "-c", f"from hub.exchange.checker import main; main({there.fileno()})"]
                process = subprocess.Popen(command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603  (our own)
            try:
                await self._talk(here, process)
            finally:
                process.kill()
                process.wait()
                self._to, self._version = None, None
            log.error("checker-ended", waiting=len(self.asked))
            metrics.RESTARTS.add("checker")
            if self.asked:  # it had the first in hand; the others are asked again
                self.asked.popleft().close(None, Refusal("internal", retry_after=5))
            await asyncio.sleep(_PAUSE)

    async def _talk(self, here: socket.socket, process: subprocess.Popen[bytes]) -> None:
        def heard(said: Any) -> None:
            if self._to is None:  # it is ready
                self._to = to
                for question in self.asked:
                    self._send(to, question)
            else:
                self.asked.popleft().close(*said)

        line = _Line(heard)
        to, _ = await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=here)
        watch = asyncio.create_task(self._watch(process))
        try:
            await line.over
        finally:
            watch.cancel()
            to.close()

    async def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            first = self.asked[0] if self.asked and self._to is not None else None
            await asyncio.sleep(_PATIENCE)
            if first is not None and self.asked and self.asked[0] is first:
                log.error("checker-hangs")
                process.kill()
