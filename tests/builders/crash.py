"""A hub that is a process of its own, dies by SIGKILL, and is started again on its data; and agencies that go on.

An agency does what a real one does: keeps its packet, repeats the very same request when no answer came, and writes
down what it was acknowledged and what it received. Time stands still at START.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import structlog
import uvicorn
from builders.axis import Clock, Peer, an_axis
from builders.packets import a_status

from clients.hub_client import HubClient, Refused, Unavailable
from hub.app import create_app
from hub.domain import edxml
from hub.domain.document import DocumentRef, Organization
from hub.domain.signature import sign
from hub.http.wire import GuardedHttp
from hub.settings import Settings

T = TypeVar("T")
_PATIENCE = 60.0  # seconds in which a hub must answer or end
_TRIES = 20
_QUIET = 3600.0  # seconds between sweeps: none in a test, so that a step is reached by what the test asks for

# Forks from a process that has everything imported: a hub is there in a fraction of a second.
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["hub.app", "uvicorn", "clients.hub_client"])


def _serve(settings: Settings, steps: list[str], told: Connection) -> None:
    """The hub's process: tells its port, and dies when the named steps have been reached in this order."""
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())

    def at(step: str) -> None:
        if steps and step == steps[0]:
            steps.pop(0)
            if not steps:
                os.kill(os.getpid(), signal.SIGKILL)

    app = create_app(settings, clock=Clock(), at=at)
    config = uvicorn.Config(app, http=GuardedHttp, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    with socket.create_server(("127.0.0.1", 0)) as listener, told:
        told.send(listener.getsockname()[1])
        uvicorn.Server(config).run([listener])


def _end_with_the_tests() -> None:
    tests = multiprocessing.parent_process()
    assert tests is not None
    tests.join()
    os._exit(1)


def enrolled(folder: Path, database_url: str, *codes: str) -> dict[str, Peer]:
    """Agencies with registered certificates, in a hub that is not running."""
    with an_axis(folder, database_url) as axis:
        return {code: axis.enrol(code) for code in codes}


class MortalHub:
    """A hub on a folder and a database; a context manager that starts it and ends whatever runs at the end."""

    def __init__(self, folder: Path, database_url: str = "", **changes: Any) -> None:
        self.settings = Settings(
            data_dir=folder, database_url=database_url, sweep_seconds=_QUIET, checkers=0, **changes
        )
        self.url = ""
        self.deaths = 0
        self._process: BaseProcess | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> MortalHub:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._buried()

    def start(self, *steps: str) -> None:
        """Start; the process dies when ``steps`` have been reached one after the other."""
        heard, told = _FORKED.Pipe(duplex=False)
        self._process = _FORKED.Process(target=_serve, args=(self.settings, list(steps), told), daemon=True)
        self._process.start()
        told.close()
        with heard:
            assert heard.poll(_PATIENCE), "the hub does not start"
            self.url = f"http://127.0.0.1:{heard.recv()}"

    def kill(self) -> None:
        """SIGKILL from outside, at whatever it is doing."""
        with self._lock:
            assert self._process is not None
            self._process.kill()

    def revive(self, url: str) -> None:
        """Start again after the death of the hub at ``url``, which must be near; once, whoever asks."""
        with self._lock:
            if url == self.url:
                assert self._buried() == -signal.SIGKILL
                self.deaths += 1
                self.start()

    def stop(self) -> None:
        """A clean end, as by an operator."""
        assert self._process is not None
        self._process.terminate()
        assert self._buried() == -signal.SIGTERM  # uvicorn ends in order, and then as the signal asks

    def _buried(self) -> int | None:
        assert self._process is not None
        self._process.join(_PATIENCE)
        code = self._process.exitcode
        assert code is not None, "the hub does not end"
        self._process.close()
        self._process = None
        return code


@dataclass
class Books:
    """What the agencies know: by delivery id, the packet that was acknowledged and the packets that were received."""

    acknowledged: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)  # SHA-256 of a packet → the hub's id of the document
    received: Counter[str] = field(default_factory=Counter)
    kept: dict[str, bytes] = field(default_factory=dict)
    reported: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (agency, code, document id)
    told: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # the same, as the sender received it
    repeated: list[str] = field(default_factory=list)  # what met the death of the hub

    def check(self) -> None:
        """Nothing lost, nothing doubled, every byte as it was sent."""
        assert set(self.received) == set(self.acknowledged)
        assert set(self.received.values()) <= {1}
        assert self.kept == self.acknowledged
        assert self.told == self.reported
        assert set(self.told.values()) <= {1}


@dataclass
class Agency:
    """An agency's system; ``mourn`` is called when its request was not answered, before it repeats it."""

    hub: MortalHub
    peer: Peer
    books: Books
    mourn: Callable[[str], None] = lambda what: None

    def ask(self, what: str, request: Callable[[HubClient], T]) -> T:
        """One request, repeated as it is until it is answered."""
        for _ in range(_TRIES):
            url = self.hub.url
            with HubClient(url, self.peer.credentials["token"], attempts=1) as client:
                try:
                    return request(client)
                except Unavailable as failure:
                    if isinstance(failure.__cause__, Refused):
                        raise  # an answer: the hub lives
                    self.books.repeated.append(what)
            self.hub.revive(url)
            self.mourn(what)
        raise AssertionError(f"{what}: no answer in {_TRIES} tries")

    def send(self, what: str, packet: bytes) -> str:
        """Send until it is acknowledged; gives the hub's id of the document."""
        accepted = self.ask(what, lambda client: client.send(packet))
        self.books.documents[hashlib.sha256(packet).hexdigest()] = accepted.id
        self.books.acknowledged |= {delivery["id"]: packet for delivery in accepted.deliveries}
        return accepted.id

    def receive(self, *, report: str = "") -> int:
        """Take in what waits: fetch, keep, say so, and report on documents. Gives how much there was."""
        page = self.ask("inbox", lambda client: client.inbox(limit=500))
        for item in page.items:
            self._take_in(item, report)
        return len(page.items)

    def _take_in(self, item: dict[str, Any], report: str) -> None:
        delivery, about = item["id"], item["document"]
        packet = self.ask("fetch", lambda client: client.packet(delivery)).packet
        if item["type"] == "status":
            self.ask("done", lambda client: client.done(delivery))
            self.books.told[item["status"]["from"], item["status"]["code"], about["document_id"]] += 1
            return
        self.books.kept[delivery] = packet
        self.ask("done", lambda client: client.done(delivery))
        self.books.received[delivery] += 1
        if report:
            said = self.report(report, about["sender"], about["document_id"])
            self.ask("report", lambda client: client.report(said))
            self.books.reported[self.peer.code, report, about["document_id"]] += 1

    def report(self, code: str, sender: str, document_id: str) -> bytes:
        """A signed status packet; the same bytes every time it is sent."""
        said = a_status(
            sender=Organization(organ_id=self.peer.code, name=self.peer.name),
            response_for=DocumentRef(sender, document_id=document_id),
            status=code,
            timestamp="2025/10/01 09:00:00",
        )
        return sign(edxml.write_status(said), self.peer.key, self.peer.certificate)


def at_once(*works: Callable[[], None]) -> None:
    """Run in threads that start together; the first fault of any of them is raised when all have ended.

    The last runs in this thread: a database server that it starts would die with a thread of its own.
    """
    faults: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait(_PATIENCE)
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in works[:-1]]
    for thread in threads:
        thread.start()
    run(works[-1])
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
