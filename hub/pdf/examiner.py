"""Has a process of its own examine PDF files, so that none of them can stop the hub or slow what it accepts."""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
from dataclasses import dataclass

import structlog

from hub.pdf.findings import Asked, Examination, Reason, Unexamined, unexamined
from hub.pdf.line import LENGTH, LENGTHS, NO_MEMORY, read_answer

log = structlog.get_logger()
_READY_WITHIN = 60.0  # seconds that the process may take to start
_ENDS: dict[int, Reason] = {-signal.SIGXCPU: "time", NO_MEMORY: "memory"}  # by exit status
_PIECE = 1 << 20  # bytes of a file handed over between two looks at whatever else waits


@dataclass(frozen=True, slots=True)
class Limits:
    """For one file: seconds on the clock, seconds of processor time, bytes of address space."""

    seconds: float = 20.0
    cpu_seconds: int = 15
    memory: int = 1 << 30


class Examiner:
    """One process, one file at a time; an asynchronous context manager. Whoever asks meanwhile waits.

    The process is started with the first question and replaced when a file ends it.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Examiner:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self._turn:
            await self._end()

    async def examine(self, pdf: bytes, asked: Asked) -> Examination | Unexamined:
        """What ``examination.examine`` says of the file, or that it could not be examined. Raises nothing of a file's
        making; OSError where no process can be started."""
        async with self._turn:
            process = self._process = self._process or await self._started()
            answer: Examination | Unexamined | None = None
            try:
                async with asyncio.timeout(self._limits.seconds):
                    answer = await _asked(process, pdf, asked)
            except TimeoutError:
                return self._given_up("time")
            except (EOFError, ConnectionError):  # IncompleteReadError is an EOFError
                return self._given_up(_ENDS.get(await process.wait(), "crash"))
            except pickle.UnpicklingError:
                return self._given_up("crash")
            finally:
                if answer is None:  # it may still have the question in hand, whoever gave it up
                    await self._end()
            return answer

    def _given_up(self, reason: Reason) -> Unexamined:
        log.warning("pdf-not-examined", reason=reason)
        return unexamined(reason)

    async def _started(self) -> asyncio.subprocess.Process:
        limits = self._limits
        call = f"from hub.pdf.confined import main; main({limits.memory}, {limits.cpu_seconds})"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", call, stdin=pipe, stdout=pipe)
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await _to_read(process).readexactly(LENGTH.size)
        except BaseException as fault:
            await _killed(process)
            if isinstance(fault, (EOFError, TimeoutError)):
                raise OSError("the process that examines PDF files does not start") from fault
            raise
        return process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await _killed(process)


async def _asked(process: asyncio.subprocess.Process, pdf: bytes, asked: Asked) -> Examination | Unexamined:
    question = pickle.dumps(asked, pickle.HIGHEST_PROTOCOL)
    to, back = process.stdin, _to_read(process)
    if to is None:
        raise ConnectionError
    to.write(LENGTHS.pack(len(question), len(pdf)) + question)
    for start in range(0, len(pdf), _PIECE):
        to.write(pdf[start : start + _PIECE])
        await to.drain()
    await to.drain()
    (length,) = LENGTH.unpack(await back.readexactly(LENGTH.size))
    answer: Examination | Unexamined = read_answer(await back.readexactly(length))
    return answer


def _to_read(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise ConnectionError
    return process.stdout


async def _killed(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
