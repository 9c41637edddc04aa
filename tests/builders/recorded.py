"""The recorder in front of a hub, in an event loop of its own; and what it wrote down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clients.replay.traffic.file import Exchange, TrafficFile, TrafficWriter
from clients.replay.traffic.record import Recorder

_PATIENCE = 30.0  # seconds until a test that hangs fails
BEGUN = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)  # as the clock of the tests' hubs


@dataclass
class Listening:
    """A recorder at ``base_url``, which takes the hub's place for clients."""

    base_url: str
    recorder: Recorder


@contextmanager
def a_recorder(
    hub: str, to: Path, *, complains: Callable[[object], object] = lambda fault: None
) -> Iterator[Listening]:
    """``complains`` hears of what nobody in its event loop caught."""
    ready, ends = threading.Event(), asyncio.Event()
    made: list[Listening] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, fault: complains(fault))

    async def run() -> None:
        with TrafficWriter(to, hub, BEGUN) as writer:
            async with Recorder(hub, writer) as recorder:
                made.append(Listening(recorder.url, recorder))
                ready.set()
                await ends.wait()

    def thread() -> None:
        try:
            loop.run_until_complete(run())
        finally:
            ready.set()
            loop.close()

    running = threading.Thread(target=thread, name="recorder")
    running.start()
    try:
        assert ready.wait(_PATIENCE), "the recorder does not start"
        yield made[0]
    finally:
        loop.call_soon_threadsafe(ends.set)
        running.join(_PATIENCE)
        assert not running.is_alive(), "the recorder does not end"


def exchanges(path: Path) -> list[Exchange]:
    with TrafficFile(path) as file:
        return list(file)


def bodies(path: Path) -> list[tuple[Exchange, bytes, bytes]]:
    """Each exchange with what was sent and what came back."""
    with TrafficFile(path) as file:
        return [(exchange, file.request(exchange), file.answer(exchange)) for exchange in file]
