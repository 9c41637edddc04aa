"""pyas2lib: the packet in a signed AS2 message (RFC 4130), answered by a signed receipt (MDN, RFC 3798)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle, islice

from benchmarks import load
from benchmarks.load import Answers
from benchmarks.peers import processes
from benchmarks.peers.load import Load
from benchmarks.report import Measure, Run
from benchmarks.servers import Running

NAME = "pyas2lib"
DOES = (
    "verifies the S/MIME signature of an AS2 message (RSA-2048, SHA-256: it knows no P-256) and its certificate, and "
    "signs an MDN, without looking into the packet; over HTTP a small server of ours, a process per core, also keeps "
    "the packet in a file (fsync) before it answers; the bare calls keep nothing"
)
_MADE = 300  # messages; after them they come again, which this peer does not look for


def absent() -> str:
    """Why it cannot be measured here; empty if it can."""
    try:
        version("pyas2lib")
    except PackageNotFoundError:
        return f"not installed: {sys.executable} -m pip install pyas2lib"
    return ""


def measure(run: Run, given: Load) -> None:
    """Messages per second, over HTTP and by calling the library."""
    from benchmarks.peers import station  # only here: it needs what absent() looks for

    run.versions.append(", ".join(f"{name} {version(name)}" for name in ("pyas2lib", "oscrypto", "pyOpenSSL")))
    with processes.folder() as home:
        station.furnish(home)
        sender = station.Station(home, station.SENDER, station.RECEIVER)
        messages = [sender.message(packet) for packet in given.packets[:_MADE]]
        receiver = station.Station(home, station.RECEIVER, station.SENDER)
        if receiver.answer(messages[0])[0] != given.packets[0]:
            raise RuntimeError("the packet does not come out of its message as it went in")
        port, log = processes.free_port(), home / "log"
        requests = list(islice(cycle(map(_request, messages)), len(given.packets)))
        with processes.started([sys.executable, station.__file__, str(home), str(port)], log) as process:
            processes.await_port(port, process, log)
            server = Running(f"http://127.0.0.1:{port}", process.pid)

            def fire(requests: Sequence[bytes], connections: int, seconds: float) -> Answers:
                answers = load.fire(
                    server.url, requests, connections=connections, seconds=seconds, accepted_by=station.PROCESSED
                )
                return answers.all_are(200)

            replace(given, packets=requests).measure(run, f"{NAME} over HTTP", server, fire)
        run.add(_called(receiver.answer, messages, given.seconds))


def _request(message: bytes) -> bytes:
    _, _, body = message.partition(b"\r\n\r\n")
    return f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n".encode() + message


def _called(answer: Callable[[bytes], object], messages: Sequence[bytes], seconds: float) -> Measure:
    """One call after the other, on one core."""
    answers = Answers()
    began, cpu = time.perf_counter(), time.process_time()
    for message in cycle(messages):
        asked = time.perf_counter()
        answer(message)
        ended = time.perf_counter()
        answers.latencies.append(ended - asked)
        if ended >= began + seconds:
            break
    answers.seconds = ended - began
    return Measure.of(f"{NAME}, bare calls", answers, time.process_time() - cpu)
