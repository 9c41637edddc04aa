"""The recorder in front of a hub, in an event loop of its own; and what it wrote down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from builders.axis import Peer
from builders.served import Served
from cryptography import x509

from clients.replay.planned import Party
from clients.replay.traffic.file import Exchange, TrafficFile
from clients.replay.traffic.play import RecordedPlay
from clients.replay.traffic.record import Recorder
from hub.exchange import enrol

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
        async with Recorder(hub, to, BEGUN) as recorder:
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


def newly_enrolled(hub: Served, play: RecordedPlay, party: Party) -> Peer:
    """A system of the cast, with the certificate of the play; its keys are no peer's."""
    certificate = x509.load_pem_x509_certificate(play.certificate(party.code))
    job = enrol.Enrolment(party.code, party.name, certificate=certificate, profile=party.profile)
    desk = hub.axis.desk
    (made,) = desk.writer.run(enrol.enrol, enrol.Enrolments((job,), desk.vault, replace=True))
    desk.rosters.current(now=True)
    return Peer(hub.axis, party.code, party.name, made, None, certificate)
