"""So many packets a second, whatever else happens: sent when each is due, by a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks import load
from benchmarks.load import Answers
from benchmarks.packets import Office, signed
from hub.domain.document import Organization

_LINES = 64  # packets under way at once, at most
_SIZE = 10_000  # bytes
_END = 60.0  # seconds in which the last answers must come


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends to whom, where, and how many a second."""

    url: str
    token: str
    office: Office
    to: Sequence[Organization]
    rate: float


class Stretch:
    """What came back between two moments."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def answers(self) -> Answers:
        """Since the last time this was asked."""
        self._pipe.send("tell")
        if not self._pipe.poll(_END):
            raise RuntimeError("the sending process does not answer")
        found = self._pipe.recv()
        if isinstance(found, BaseException):
            raise found
        assert isinstance(found, Answers)
        return found.all_are(201) if found.latencies else found


@contextmanager
def sending(sender: Sender, numbers: range) -> Iterator[Stretch]:
    """Documents of these numbers are sent until the block ends."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_send, args=(sender, numbers, there), daemon=False)
    process.start()
    there.close()
    try:
        if not here.poll(120) or here.recv() != "ready":
            raise RuntimeError("the sending process did not start")
        yield Stretch(here)
    finally:
        here.close()  # it ends by that
        process.join(_END)
        if process.is_alive():
            process.terminate()
            process.join()


def _send(sender: Sender, numbers: range, pipe: Connection) -> None:
    packets = signed(sender.office, sender.to, _SIZE, numbers)
    requests = [load.request("/v1/documents", sender.token, packet) for packet in packets]
    pipe.send("ready")
    asyncio.run(_sent(sender, requests, pipe))


async def _sent(sender: Sender, requests: Sequence[bytes], pipe: Connection) -> None:
    free: asyncio.Queue[load.Line] = asyncio.Queue()
    lines = [await load.connected(sender.url) for _ in range(_LINES)]
    for line in lines:
        free.put_nowait(line)
    answers, began, mark = Answers(), time.perf_counter(), time.perf_counter()
    tasks: set[asyncio.Task[None]] = set()
    failures: list[BaseException] = []

    async def one(request: bytes, due: float) -> None:
        line = await free.get()
        try:
            answer = await line.ask(request)
            answers.latencies.append(time.perf_counter() - due)  # from when it should have gone out
            status = int(answer[9:12])
            answers.statuses[status] += 1
            if status >= 300:
                answers.refusal = answer
        except Exception as fault:
            failures.append(fault)
        finally:
            free.put_nowait(line)

    for n, request in enumerate(requests):
        due = began + n / sender.rate
        while (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(min(left, 0.05))
        task = asyncio.create_task(one(request, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            if pipe.poll():
                pipe.recv()
                now = time.perf_counter()
                answers.seconds = now - mark
                pipe.send(failures[0] if failures else answers)
                answers, mark = Answers(), now
        except (EOFError, OSError):
            break
    for line in lines:
        line.close()
