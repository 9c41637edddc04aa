"""The recorder: what passes through it stays as it was, and is written down without what would let anybody in."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from builders.axis import Peer
from builders.calling import a_letter, a_report, client
from builders.gateway import request as by_hand
from builders.gateway import signed
from builders.recorded import a_recorder, bodies, exchanges
from builders.served import Served, a_line, answers, breaks_the_answer_off, cuts, nobody_listens
from builders.wire import Wire
from rich.console import Console

from clients.gateway_client import GatewayClient
from clients.replay.traffic.file import TrafficFile
from clients.replay.traffic.record import record

JAVA = Path(__file__).parents[2] / "data" / "gateway"
_PATIENCE = 30.0


def without_host(request: bytes) -> bytes:
    head, gap, body = request.partition(b"\r\n\r\n")
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"host:")) + gap + body


@contextmanager
def a_listener(*deeds: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does one deed after the other, each with a connection of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_PATIENCE)

        def run() -> None:
            for deed in deeds:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(_PATIENCE)
                    deed(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes up to there, and not a byte more."""
    data = b""
    while not data.endswith(end):
        part = connection.recv(1)
        assert part, f"hung up after {data!r}"
        data += part
    return data


def test_both_dialects_pass_and_their_packets_are_written_down(
    hub: Served, office: Peer, province: Peer, tmp_path: Path
) -> None:
    file = tmp_path / "a.traffic"
    letter = a_letter(office, "H41")
    packet = office.packet(letter)
    with a_recorder(hub.base_url, file) as proxy:
        with client(proxy, office) as sender:  # type: ignore[arg-type]  # it has a base_url, as a hub
            accepted = sender.send(packet)
        java = GatewayClient(f"{proxy.base_url}/axis", province.system_id, province.credentials["secret"])
        with java:
            (item,) = java.get_received_edoc_list("edoc").items
            assert java.get_edoc(item["docId"]).packet == packet
            assert java.update_status(item["docId"], "done").ok
        with client(proxy, province) as reporter:  # type: ignore[arg-type]
            reporter.report(a_report(province, letter, "01"))
    found = bodies(file)
    assert [(e.dialect, e.operation, e.status) for e, _, _ in found] == [
        ("rest", "send", 201),
        ("gateway", "list", 200),
        ("gateway", "fetch", 200),
        ("gateway", "done", 200),
        ("rest", "report", 201),
    ]
    (sent, request, answer), listed, fetched, done, _ = found
    assert (request, json.loads(answer)["id"]) == (packet, accepted.id)
    assert listed[0].system == fetched[0].system == done[0].system == province.system_id != sent.system
    assert fetched[0].said["id"] == done[0].said["id"] == item["docId"]
    assert json.loads(listed[2])["data"][0]["docId"] == item["docId"]
    assert 0 <= sent.at < listed[0].at < done[0].at
    assert sent.took > 0
    written = file.read_bytes()
    for peer in (office, province):
        for secret in (peer.credentials["token"], peer.credentials["secret"]):
            assert secret.encode() not in written
    assert b"hash-header" not in written
    assert b"Bearer" not in written
    assert file.stat().st_mode & 0o077 == 0


def test_a_token_is_told_from_another_and_cannot_be_guessed_from_the_file(
    hub: Served, office: Peer, province: Peer, tmp_path: Path
) -> None:
    names = []
    for file in (tmp_path / "a.traffic", tmp_path / "b.traffic"):
        with a_recorder(hub.base_url, file) as proxy:
            for peer in (office, province, office):
                with client(proxy, peer) as agency:  # type: ignore[arg-type]
                    agency.inbox()
        names.append([exchange.system for exchange in exchanges(file)])
    assert all(first == third != second for first, second, third in names)
    assert not set(names[0]) & set(names[1])


def test_no_body_is_kept_of_a_registration_which_has_a_one_time_code_in_it(tmp_path: Path) -> None:
    file, body = tmp_path / "a.traffic", b'{"one_time_code": "mot-lan-1234", "proof": "chung-minh"}'
    with a_line(answers(201, b'{"owner": "bi-mat-cua-tra-loi"}')) as line, a_recorder(line.base_url, file) as proxy:
        lines = ["POST /v1/agencies/H41/certificates?token=bi-mat HTTP/1.1", "Host: a", f"Content-Length: {len(body)}"]
        with Wire(proxy.base_url) as wire:
            assert wire.say(*lines, body=body).hear().status == 201
    written = file.read_bytes()
    assert not any(secret in written for secret in (b"mot-lan", b"chung-minh", b"bi-mat"))
    assert [(e.operation, e.status) for e in exchanges(file)] == [("other", 201)]


@pytest.mark.parametrize("method", sorted(path.stem for path in JAVA.glob("*.req")))
def test_a_java_clients_request_and_its_answer_pass_byte_for_byte_but_for_host(method: str, tmp_path: Path) -> None:
    asked, answered = ((JAVA / f"{method}.{kind}").read_bytes() for kind in ("req", "resp"))
    with (
        a_line(lambda line, peer, request: peer.sendall(answered)) as line,
        a_recorder(line.base_url, tmp_path / "a.traffic") as proxy,
        Wire(proxy.base_url) as wire,
    ):
        heard = wire.pour(asked.replace(b"Expect: 100-continue\r\n", b"")).rest()
    (passed,) = line.requests
    assert heard == answered
    assert without_host(passed) == without_host(asked.replace(b"Expect: 100-continue\r\n", b""))
    assert f"host: {line.base_url.removeprefix('http://')}\r\n".encode() in passed.lower().replace(
        b"host:  ", b"host: "
    )


def test_whoever_expects_100_continue_hears_it_from_the_hub_before_the_body_goes_out(tmp_path: Path) -> None:
    head = b"POST /axis/sendEdoc HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    heard: list[bytes] = []

    def deed(connection: socket.socket) -> None:
        heard.append(until(connection, b"\r\n\r\n"))
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        heard.append(until(connection, b"hello"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with a_listener(deed) as url, a_recorder(url, tmp_path / "a.traffic") as proxy, Wire(proxy.base_url) as wire:
        wire.pour(head)
        assert until(wire.socket, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.pour(b"hello")
        assert until(wire.socket, b"ok").startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard[0].replace(url.removeprefix("http://").encode(), b"a") == head
    assert heard[1] == b"hello"


def test_an_answer_before_the_body_reaches_whoever_goes_on_sending(hub: Served, tmp_path: Path) -> None:
    """A Java client reads no answer before it has written all of its body."""
    stranger = [("XroadVnpt-sign-header", "{}"), ("XroadVnpt-hash-header", "0")]
    asked = by_hand("sendEdoc", stranger, bytes(300_000))
    with a_recorder(hub.base_url, tmp_path / "a.traffic") as proxy, Wire(proxy.base_url) as wire:
        assert wire.pour(asked).hear().body["ErrorCode"] == "15"
    assert [(e.operation, e.status) for e in exchanges(tmp_path / "a.traffic")] == [("send", 200)]


def test_one_connection_carries_many_requests_and_ends_when_the_hub_ends_it(tmp_path: Path) -> None:
    def deed(connection: socket.socket) -> None:
        for _ in range(3):
            until(connection, b"\r\n\r\n")
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n1;x=y\r\ne\r\n0\r\n\r\n"
            )

    with a_listener(deed) as url, a_recorder(url, tmp_path / "a.traffic") as proxy, Wire(proxy.base_url) as wire:
        for _ in range(3):
            wire.say("GET /v1/inbox HTTP/1.1", "Host: a")
            until(wire.socket, b"0\r\n\r\n")
        assert wire.hung_up()
    assert [answer for _, _, answer in bodies(tmp_path / "a.traffic")] == [b"abcde"] * 3


def test_requests_in_one_stroke_are_answered_in_turn(tmp_path: Path) -> None:
    ask = b"GET /v1/inbox HTTP/1.1\r\nHost: a\r\n\r\n"

    def deed(connection: socket.socket) -> None:
        for n in (b"1", b"2"):
            until(connection, b"\r\n\r\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + n)

    with a_listener(deed) as url, a_recorder(url, tmp_path / "a.traffic") as proxy, Wire(proxy.base_url) as wire:
        heard = wire.pour(ask + ask).rest()
    assert heard.count(b"HTTP/1.1 200 OK") == 2
    assert heard.endswith(b"2")


def test_a_hub_that_is_away_is_told_as_502_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.traffic"
    with nobody_listens() as port, a_recorder(f"http://127.0.0.1:{port}", file) as proxy:
        with Wire(proxy.base_url) as wire:
            heard = wire.say("POST /v1/documents HTTP/1.1", "Host: a", "Content-Length: 3", body=b"abc").hear()
        assert (heard.status, proxy.recorder.away) == (502, 1)
        assert str(port) in heard.body["detail"]
    (exchange,) = exchanges(file)
    assert (exchange.status, exchange.lost) == (502, "the hub is away")


@pytest.mark.parametrize(
    ("deed", "lost"),
    [(cuts, "the hub hung up without an answer"), (breaks_the_answer_off, "the answer broke off")],
    ids=["nothing", "a part"],
)
def test_what_breaks_off_at_the_hub_breaks_off_at_the_client(
    hub: Served, office: Peer, tmp_path: Path, deed: object, lost: str
) -> None:
    with (
        a_line(deed, to=hub.base_url) as line,  # type: ignore[arg-type]
        a_recorder(line.base_url, tmp_path / "a.traffic") as proxy,
        Wire(proxy.base_url) as wire,
    ):
        token = office.credentials["token"]
        heard = wire.say("GET /v1/inbox HTTP/1.1", "Host: a", f"Authorization: Bearer {token}").rest()
    assert heard == b"" or not heard.endswith(b"}")
    assert [exchange.lost for exchange in exchanges(tmp_path / "a.traffic")] == [lost]


def test_a_client_that_hangs_up_in_a_long_poll_leaves_nobody_waiting_at_the_hub(tmp_path: Path) -> None:
    gone = threading.Event()

    def deed(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        asked.set()
        assert connection.recv(1) == b""
        gone.set()

    asked = threading.Event()
    with a_listener(deed) as url, a_recorder(url, tmp_path / "a.traffic") as proxy:
        with Wire(proxy.base_url) as wire:
            wire.say("GET /v1/inbox?wait=60 HTTP/1.1", "Host: a", "Authorization: Bearer mot-ma")
            assert asked.wait(_PATIENCE)
        assert gone.wait(_PATIENCE)
    assert [e.lost for e in exchanges(tmp_path / "a.traffic")] == ["the client hung up"]


def test_a_large_packet_and_its_answer_pass_in_parts(tmp_path: Path) -> None:
    size = 40 * 1024 * 1024
    part = bytes(range(256)) * 256

    def deed(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        left = size
        while left:
            left -= len(connection.recv(65536))
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // len(part)):
            connection.sendall(part)

    file = tmp_path / "a.traffic"
    with a_listener(deed) as url, a_recorder(url, file) as proxy, Wire(proxy.base_url) as wire:
        wire.say("POST /v1/documents HTTP/1.1", "Host: a", f"Content-Length: {size}")
        tracemalloc.start()
        for _ in range(size // len(part)):
            wire.pour(part)
        left = size
        assert until(wire.socket, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
        while left:
            left -= len(wire.socket.recv(65536))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    (exchange,) = exchanges(file)
    assert (exchange.request[1], exchange.answer[1]) == (size, size)
    assert most < 4 * 1024 * 1024


def test_a_recorder_that_was_killed_leaves_what_had_ended(hub: Served, office: Peer, tmp_path: Path) -> None:
    file = tmp_path / "a.traffic"
    code = (
        "import asyncio, sys; from pathlib import Path; from rich.console import Console;"
        "from clients.replay.traffic.record import record;"
        "asyncio.run(record(sys.argv[1], Path(sys.argv[2]), Console()))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, hub.base_url, str(file)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        packet = office.packet(a_letter(office, "G22"))
        with client(Served(url, hub.axis), office) as agency:
            agency.send(packet)
            agency.inbox()
        process.kill()
    with TrafficFile(file) as reading:
        found = list(reading)
        assert [exchange.operation for exchange in found] == ["send", "list"]
        assert reading.request(found[0]) == packet


def test_ctrl_c_ends_it_with_a_line_of_what_was_counted(hub: Served, office: Peer, tmp_path: Path) -> None:
    file, console = tmp_path / "a.traffic", Console(record=True, width=200, file=io.StringIO())

    async def run() -> None:
        recording = asyncio.ensure_future(record(hub.base_url, file, console))
        while "→" not in (shown := console.export_text(clear=False)):
            await asyncio.sleep(0)
        with client(Served(shown.split()[0], hub.axis), office) as agency:
            await asyncio.to_thread(agency.inbox)
        os.kill(os.getpid(), signal.SIGINT)
        assert (await recording)["list"] == 1

    asyncio.run(run())
    assert f"{file}: 1 list" in console.export_text().splitlines()


def test_a_recorder_that_ends_under_a_waiting_client_says_so_and_complains_of_nothing(tmp_path: Path) -> None:
    """It once left a task that asyncio's streams took for broken."""
    faults: list[object] = []
    asked, ended = threading.Event(), threading.Event()

    def deed(connection: socket.socket) -> None:
        until(connection, b"abc")
        asked.set()
        assert connection.recv(1) == b""
        ended.set()

    with a_listener(deed) as url, ExitStack() as waiting:
        with a_recorder(url, tmp_path / "a.traffic", complains=faults.append) as proxy:
            wire = waiting.enter_context(Wire(proxy.base_url))
            wire.say("POST /v1/documents HTTP/1.1", "Host: a", "Content-Length: 3", body=b"abc")
            assert asked.wait(_PATIENCE)
        assert ended.wait(_PATIENCE)
    ((exchange, request, _),) = bodies(tmp_path / "a.traffic")
    assert (exchange.status, exchange.lost, request) == (0, "the recorder ended", b"abc")
    assert faults == []


def test_the_signed_arguments_are_kept_and_the_signature_is_not(hub: Served, province: Peer, tmp_path: Path) -> None:
    asked = by_hand("updateStatus", signed(province, {"docId": "0" * 24, "status": "fail", "secret": "khác"}))
    with a_recorder(hub.base_url, tmp_path / "a.traffic") as proxy, Wire(proxy.base_url) as wire:
        wire.pour(asked).hear()
    (exchange,) = exchanges(tmp_path / "a.traffic")
    assert (exchange.operation, exchange.system) == ("failed", province.system_id)
    assert exchange.said == {"docId": "0" * 24, "id": "0" * 24, "status": "fail"}


def test_empty_lines_before_a_request_are_dropped_as_hubs_drop_them(tmp_path: Path) -> None:
    """RFC 9112 §2.2; they were once answered by 400. They may come byte by byte, and behind another request's body."""
    ask = b"POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    heard: list[bytes] = []

    def deed(connection: socket.socket) -> None:
        for _ in range(3):
            heard.append(until(connection, b"abc"))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with a_listener(deed) as url, a_recorder(url, tmp_path / "a.traffic") as proxy, Wire(proxy.base_url) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for before in (b"\r\n", b"\r\n\r\n\r\n", b""):
            for byte in before:
                wire.pour(bytes([byte]))
            assert until(wire.pour(ask).socket, b"ok").startswith(b"HTTP/1.1 200 OK\r\n")
    assert [request.startswith(b"POST ") for request in heard] == [True] * 3
    assert [request for _, request, _ in bodies(tmp_path / "a.traffic")] == [b"abc"] * 3
