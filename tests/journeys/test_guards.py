"""The hub against whoever holds it up, over real sockets: TLS, proxies, slow senders, too many and too much."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.axis import Peer
from builders.commands import Hub, run, serving
from builders.packets import an_attachment
from builders.served import Served, a_served_hub
from builders.tls import a_server_certificate, shown
from builders.waiting import comes
from builders.wire import Wire, post

pytestmark = pytest.mark.long
SHORT, SOON = 1.0, 10.0  # seconds: a hub here waits for a head or a body, and has surely given up
GET = ("GET /healthz HTTP/1.1", "Host: hub.example.vn")
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("guarded"), head_timeout=SHORT, body_timeout=SHORT) as hub:
        yield hub


@pytest.fixture(scope="module")
def office(served: Served) -> Peer:
    served.axis.enrol("H41")
    return served.axis.enrol("G22")


# Slow senders.


def test_a_connection_that_never_says_a_byte_is_closed(served: Served) -> None:
    began = time.monotonic()
    with Wire(served.base_url) as wire:
        assert wire.hung_up()
    assert time.monotonic() - began > SHORT / 2


@pytest.mark.parametrize("already", [0, 1], ids=["first request", "second request"])
def test_a_head_that_stops_coming_is_answered_and_hung_up_on(served: Served, already: int) -> None:
    with Wire(served.base_url) as wire:
        for _ in range(already):
            assert wire.say(*GET).hear().status == 200
        answer = wire.pour(b"GET /healthz HTTP/1.1\r\nHost: hu").hear()
        assert (answer.status, answer.body["code"]) == (408, "head-late")
        assert int(answer.headers["retry-after"]) > 0
        assert wire.hung_up()


def trickle(wire: Wire, part: bytes) -> float:
    """Send ``part`` every few milliseconds until the hub hangs up; gives the seconds that took."""
    began = time.monotonic()
    while time.monotonic() - began < SOON:
        try:
            wire.pour(part)
        except OSError:
            break
        if select.select([wire.socket], [], [], 0.02)[0]:  # an answer, or the end
            break
    return time.monotonic() - began


def test_a_head_in_single_bytes_gets_no_more_time_than_one_that_stops(served: Served) -> None:
    with Wire(served.base_url) as wire:
        assert trickle(wire.pour(b"GET /healthz HTTP/1.1\r\nX: "), b"a") < SOON
        assert wire.hear().body["code"] == "head-late"


@pytest.mark.parametrize("already", [0, 1], ids=["at first", "after a request"])
def test_line_ends_that_begin_no_request_hold_no_connection(served: Served, already: int) -> None:
    with Wire(served.base_url) as wire:
        for _ in range(already):
            assert wire.say(*GET).hear().status == 200
        assert trickle(wire, b"\r\n") < SOON
        assert wire.hung_up()


def test_the_rest_of_a_refused_body_holds_no_connection(served: Served) -> None:
    with Wire(served.base_url) as wire:
        assert wire.say(*post("/v1/documents", None, "Content-Length: 50000000")).hear().status == 401
        assert trickle(wire, b"x") < SOON
        assert wire.hung_up()


def test_who_writes_all_before_reading_hears_the_refusal_of_a_long_upload(served: Served) -> None:
    """A JDK reads no answer before its body is written: on a slow line it once met a closed connection instead."""
    size, part = 8 * MIB, b"x" * (32 * 1024)
    with Wire(served.base_url) as wire:
        began = time.monotonic()
        wire.say(*post("/v1/documents", None, f"Content-Length: {size}"))
        assert wire.hear().body["code"] == "not-authenticated"
        for sent in range(0, size, len(part)):
            wire.pour(part)
            pace = 3 * SHORT * sent / size - (time.monotonic() - began)
            assert not select.select([wire.socket], [], [], max(0, pace))[0], "the hub hung up"
        assert time.monotonic() - began > 2 * SHORT
        assert wire.say(*GET).hear().status == 200, "and the connection serves on"


def test_a_body_in_a_trickle_is_given_up_though_each_part_is_in_time(served: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    with Wire(served.base_url) as wire:
        wire.say(*post("/v1/documents", office, f"Content-Length: {len(packet)}", "Expect: 100-continue"))
        assert wire.hear().status == 100
        wire.pour(packet[:100])
        served.axis.clock.pass_(seconds=60)
        answer = wire.pour(packet[100:200]).hear()
    assert (answer.status, answer.body["code"]) == (408, "body-late")


def test_a_client_that_does_not_read_its_answer_is_hung_up_on(served: Served, office: Peer) -> None:
    large = an_attachment("Phụ lục.pdf", b"%PDF-1.7\n" + os.urandom(8 * MIB))
    sent = office.packet(office.draft("H41", attachments=(large,)))
    with Wire(served.base_url) as wire:
        accepted = wire.say(*post("/v1/documents", office, f"Content-Length: {len(sent)}"), body=sent).hear().body
    head = [f"GET /v1/documents/{accepted['id']}/packet HTTP/1.1", *post("", office)[1:]]
    with Wire(served.base_url) as wire:
        assert is_open_at_the_hub(wire)
        wire.say(*head)
        assert comes(lambda: not is_open_at_the_hub(wire), SOON)


def is_open_at_the_hub(wire: Wire) -> bool:
    """What the kernel says of the hub's end: what is closed there has data left that nobody read, so no end is seen."""
    ours, theirs = (f"0100007F:{name[1]:04X}" for name in (wire.socket.getsockname(), wire.socket.getpeername()))
    ends = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [theirs, ours, "01"] in ends


# Too much.


@pytest.mark.parametrize(
    "lines", [["X: " + "x" * 20 * MIB], [f"X-{n}: " + "x" * 1000 for n in range(20_000)]], ids=["one", "many"]
)
def test_headers_of_20_mb_are_refused_as_a_problem(tmp_path: Path, lines: list[str]) -> None:
    with a_served_hub(tmp_path) as hub, Wire(hub.base_url) as wire:
        answer = wire.say(*GET, *lines).hear()
        assert (answer.status, answer.body["code"]) == (431, "head-too-large")
        assert wire.hung_up()


def test_packets_in_flight_above_their_budget_are_put_off(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, in_flight_limit=100_000) as hub:
        hub.axis.enrol("H41")
        sender = hub.axis.enrol("G22")
        packet = sender.packet(sender.draft("H41"))
        declared = f"Content-Length: {len(packet)}"
        with Wire(hub.base_url) as slow, Wire(hub.base_url) as other:
            slow.say(*post("/v1/documents", sender, "Content-Length: 99000", "Expect: 100-continue"))
            assert slow.hear().status == 100  # its room is taken
            answer = other.say(*post("/v1/documents", sender, declared, "Expect: 100-continue")).hear()
            assert (answer.status, answer.body["code"]) == (503, "busy")
            assert int(answer.headers["retry-after"]) > 0
            slow.pour(b"x" * 99_000)
            assert slow.hear().status == 415  # no packet at all, and its room is free again
        with Wire(hub.base_url) as other:
            assert other.say(*post("/v1/documents", sender, declared), body=packet).hear().status == 201


def test_all_heads_that_do_not_end_have_one_budget(tmp_path: Path) -> None:
    with a_served_hub(tmp_path) as hub, ExitStack() as open_:
        wires = [open_.enter_context(Wire(hub.base_url)) for _ in range(270)]
        for wire in wires:
            wire.pour(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 250_000)
        by_socket = {wire.socket: wire for wire in wires}
        one_too_many, *_ = select.select(by_socket, [], [], SOON)[0]
        answer = by_socket[one_too_many].hear()
        assert (answer.status, answer.body["code"]) == (503, "busy")
        for wire in wires:
            wire.__exit__()
        assert comes(lambda: is_let_in(hub.base_url, "X: " + "x" * 250_000))  # and the budget is free again


# Too many.


def test_a_connection_beyond_the_limit_is_closed_without_a_word_and_the_others_are_served(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, connections_limit=3) as hub, ExitStack() as open_:
        wires = [open_.enter_context(Wire(hub.base_url)) for _ in range(3)]
        for wire in wires:
            assert wire.say(*GET).hear().status == 200
        with Wire(hub.base_url) as fourth:
            assert fourth.hung_up()
        assert wires[1].say(*GET).hear().status == 200
        wires[0].__exit__()
        assert comes(lambda: is_let_in(hub.base_url))


def is_let_in(url: str, *lines: str, source: str = "127.0.0.1") -> bool:
    """Whether a new connection is served: once the hub has seen that others closed."""
    with Wire(url, source=source) as wire:
        try:
            return wire.say(*GET, *lines).hear().status == 200
        except ConnectionError:
            return False


def test_no_address_takes_the_connections_of_another_and_a_proxy_has_no_limit(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, connections_per_address=2) as hub, ExitStack() as open_:
        greedy = [open_.enter_context(Wire(hub.base_url, source="127.0.0.2")) for _ in range(2)]
        for wire in greedy:
            assert wire.say(*GET).hear().status == 200
        with Wire(hub.base_url, source="127.0.0.2") as third:
            assert third.hung_up()
        with Wire(hub.base_url, source="127.0.0.3") as other:
            assert other.say(*GET).hear().status == 200
        proxied = [open_.enter_context(Wire(hub.base_url)) for _ in range(5)]  # 127.0.0.1 is trusted by default
        assert {wire.say(*GET).hear().status for wire in proxied} == {200}
        greedy[0].__exit__()
        assert comes(lambda: is_let_in(hub.base_url, source="127.0.0.2"))


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def test_ten_thousand_idle_connections_cost_little_and_hold_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_000
    if most != resource.RLIM_INFINITY and most < wanted + 500:
        pytest.skip(f"this process may have {most} files open")
    monkeypatch.setenv("HUB_HEAD_TIMEOUT", "300")
    monkeypatch.setenv("HUB_CHECKERS", "0")
    with serving(tmp_path) as hub, ExitStack() as open_:
        given = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        open_.callback(resource.setrlimit, resource.RLIMIT_NOFILE, given)
        peer = hub.enrol("H41")
        assert hub.inbox(peer["token"]).status_code == 200
        before = resident(hub.pid)
        for n in range(wanted):
            wire = open_.enter_context(Wire(hub.url))
            if n % 4 == 0:
                wire.pour(b"GET /healthz HTTP/1.1\r\nHo")
        began = time.monotonic()
        assert hub.inbox(peer["token"]).status_code == 200
        assert httpx.get(f"{hub.url}/readyz").status_code == 200
        assert time.monotonic() - began < SOON
        assert open_files(hub.pid) > wanted
        assert (resident(hub.pid) - before) / wanted < 16 * 1024


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


# TLS, and proxies that do it.


def test_with_a_certificate_the_hub_speaks_tls_and_nothing_else(tmp_path: Path) -> None:
    files = a_server_certificate(tmp_path)
    with serving(tmp_path, *files.options) as hub:
        assert hub.url.startswith("https://127.0.0.1:")
        with Wire(hub.url, trust=files.trust) as wire:
            for _ in range(2):
                assert wire.say(*GET).hear().status == 200
            assert isinstance(wire.socket, ssl.SSLSocket)
            assert wire.socket.version() == "TLSv1.3"
            assert wire.say("Xin chào").hear().body["code"] == "request-malformed"
        with httpx.Client(verify=files.trust) as client:
            assert client.post(f"{hub.url}/v1/documents", content=b"x" * 3 * MIB).status_code == 401
        with Wire(hub.url) as plain:
            assert plain.say(*GET).hear().status == 0
        old = files.trust
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert shown(hub.url, old) is not None
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        assert shown(hub.url, old) is None


def test_a_tls_address_can_be_reached_from_outside(tmp_path: Path) -> None:
    files = a_server_certificate(tmp_path)
    with serving(tmp_path, *files.options, "--host", "0.0.0.0") as hub:
        assert shown(hub.url.replace("0.0.0.0", "127.0.0.1"), files.trust)


def test_a_certificate_is_renewed_by_sighup_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    files, newer = a_server_certificate(tmp_path), a_server_certificate(tmp_path, "newer")
    with serving(tmp_path, *files.options) as hub, Wire(hub.url, trust=files.trust) as before:
        assert before.say(*GET).hear().status == 200
        first, trust = shown(hub.url, files.trust), files.trust
        files.key.write_bytes(newer.key.read_bytes())  # the key of another certificate
        os.kill(hub.pid, signal.SIGHUP)
        assert comes(lambda: "certificate-unusable" in events(hub))
        assert shown(hub.url, trust) == first
        files.cert.write_bytes(newer.cert.read_bytes())
        os.kill(hub.pid, signal.SIGHUP)
        assert comes(lambda: "certificate-renewed" in events(hub))
        assert shown(hub.url, newer.trust)
        assert before.say(*GET).hear().status == 200  # open connections stay


def log_of(hub: Hub) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (hub.folder / "hub.log").read_text("utf-8").splitlines()]


def events(hub: Hub) -> list[str]:
    return [line["event"] for line in log_of(hub)]


def test_who_does_not_end_the_handshake_is_counted_and_hung_up_on(tmp_path: Path) -> None:
    files = a_server_certificate(tmp_path)
    secured = {"tls_cert": str(files.cert), "tls_key": str(files.key), "head_timeout": SHORT}
    with a_served_hub(tmp_path, connections_limit=2, **secured) as hub:
        url = hub.base_url.replace("http:", "https:")
        with Wire(url) as silent, Wire(url) as slow:
            slow.pour(b"\x16\x03\x01")
            with Wire(url) as third:
                assert third.hung_up()
                assert not select.select([silent.socket], [], [], 0)[0]  # it was beyond the limit, and not late
            assert silent.hung_up()
            assert slow.hung_up()
        with Wire(url, trust=files.trust) as wire:
            assert wire.say(*GET).hear().status == 200


def test_tls_that_cannot_be_is_refused_at_start_with_the_reason(tmp_path: Path) -> None:
    files, other = a_server_certificate(tmp_path), a_server_certificate(tmp_path, "other")
    closed = a_server_certificate(tmp_path, "closed", "mật khẩu".encode())
    data = ("--port", "0", "--data-dir", str(tmp_path / "data"))
    cases = {
        ("--tls-cert", str(files.cert)): "TLS needs both a certificate and its key",
        ("--tls-cert", str(tmp_path / "none"), "--tls-key", str(files.key)): "No such file or directory",
        ("--tls-cert", str(files.cert), "--tls-key", str(other.key)): "the key is another certificate's",
        ("--tls-cert", str(files.key), "--tls-key", str(files.key)): "no PEM of a certificate",
        closed.options: "without passphrase",
    }
    for options, why in cases.items():
        run("serve", *options, *data).tells(why, "--tls-", code=2)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "source", "client"),
    [
        (("--behind-proxy",), "127.0.0.1", "203.0.113.7"),
        (("--behind-proxy",), "127.0.0.2", "127.0.0.2"),
        ((), "127.0.0.1", "127.0.0.1"),
    ],
    ids=["a trusted proxy", "somebody else", "no proxy"],
)
def test_only_a_trusted_proxy_says_who_calls(tmp_path: Path, words: tuple[str, ...], source: str, client: str) -> None:
    with serving(tmp_path, *words) as hub, Wire(hub.url, source=source) as wire:
        assert wire.say(*GET, "X-Forwarded-For: 198.51.100.1, 203.0.113.7").hear().status == 200
        assert comes(lambda: "request" in events(hub))
        assert [line["client"] for line in log_of(hub) if line["event"] == "request"] == [client]
