"""Heads of the dialect's calls that are large, too large, broken or never end; the end of the hub; very many callers.

What is refused before any application is asked is told in the dialect of its path, as far as one is known.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from builders.axis import Peer
from builders.commands import serving
from builders.dialect import ask, hear, pour, problem, raw, said
from builders.served import Served, a_lingering_hub, a_served_hub
from builders.waiting import comes
from builders.wire import Wire

from clients.gateway_client import hash_file

KIB = 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_lingering_hub(tmp_path_factory.mktemp("served")) as hub:
        yield hub


@pytest.fixture(scope="module")
def office(served: Served) -> Peer:
    served.axis.enrol("H41")
    return served.axis.enrol("G22")


# Heads.


@pytest.mark.parametrize("size", [257 * KIB, 8_000 * KIB], ids=["just-above", "far-above"])
@pytest.mark.parametrize("method", ["getReceivedEdocList", "sendEdoc", "getEdoc", "downloadEdoc", "x"])
def test_a_head_above_256_kib_is_refused_in_the_dialect(served: Served, office: Peer, method: str, size: int) -> None:
    data = raw(method, [(b"XroadVnpt-to", b"x" * size), *said(office)], b"{}" if method != "downloadEdoc" else b"")
    answer = pour(served, data).read(method)
    assert answer.http_status == 404 if method == "downloadEdoc" else answer.description.startswith("[head-too-large]")


def test_of_a_call_whose_head_is_too_large_nothing_is_done(served: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    asked = said(office, {"hash-file": hash_file(packet)})
    data = raw("sendEdoc", [*asked, (b"XroadVnpt-to", b"x" * 300 * KIB)], packet + b"\r\n")
    assert pour(served, data).read("sendEdoc").code == "10"
    sent = ask(served, "getSentEdocList", said(office)).items
    draft = ask(served, "sendEdoc", asked, packet + b"\r\n")
    assert draft.doc_id not in [entry["senderDocId"] for entry in sent]


def test_a_head_just_below_256_kib_is_read(served: Served, office: Peer) -> None:
    headers = [*said(office), *((b"XroadVnpt-stale%d" % n, b"x" * 50 * KIB) for n in range(5))]
    assert ask(served, "getReceivedEdocList", headers).ok


@pytest.mark.parametrize("count", [500, 3_000])
def test_hundreds_of_recipients_in_to_get_through(tmp_path: Path, count: int) -> None:
    with a_served_hub(tmp_path) as hub:
        hub.axis.enrol("H41")
        office = hub.axis.enrol("G22")
        codes = [f"000.{n // 99 + 1:02}.{n % 99 + 1:02}.H41" for n in range(count)]
        packet = office.packet(office.draft(*codes))
        to = "[" + ",".join(f'"{code}"' for code in codes) + "]"
        arguments = {"to": to, "from": "G22", "hash-file": hash_file(packet)}
        headers = [*said(office, arguments), (b"XroadVnpt-to", to.encode())]
        assert sum(map(len, [part for header in headers for part in header])) > count * 34
        answer = ask(hub, "sendEdoc", headers, packet + b"\r\n")
        assert answer.ok, answer.description
        one_less = said(office, arguments | {"to": "[" + ",".join(f'"{code}"' for code in codes[1:]) + "]"})
        refused = ask(hub, "sendEdoc", one_less, packet + b"\r\n")
        assert (refused.code, codes[0] in refused.description) == ("18", True)


HALVES = [
    b"POST /axis/getReceivedEdocList HTTP/1.1\r\nHost: x\r\nXroadVnpt-systemid: a",
    b"POST /axis/sendEdoc HTTP/1.1\r\n",
    b"POST /axis/sendEdoc HTTP/1.1",
    b"POST //axis/sendEdoc",
    b"GET /axis/downloadEdoc HTTP/1.1\r\nHost: x",
]


@pytest.mark.parametrize("half", HALVES, ids=range(len(HALVES)))
def test_a_head_that_stops_coming_passes(tmp_path: Path, half: bytes) -> None:
    method = "sendEdoc" if b"sendEdoc" in half else "downloadEdoc" if b"download" in half else "getReceivedEdocList"
    with a_served_hub(tmp_path, head_timeout=0.2) as hub:
        assert pour(hub, half).read(method).http_status == 503


# What is no HTTP.

BROKEN = [
    b"no colon\r\n",
    b"Ho\0st: x\r\n",
    b"Bad name: x\r\n",
    b": x\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"X: a\x01b\r\n",
    b"X: a\nb\r\n",
]


@pytest.mark.parametrize("line", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("method", ["getReceivedEdocList", "sendEdoc", "getEdoc", "downloadEdoc", "x"])
def test_a_broken_head_is_refused_in_the_dialect_of_its_path(served: Served, method: str, line: bytes) -> None:
    verb = b"GET" if method == "downloadEdoc" else b"POST"
    with Wire(served.base_url) as wire:
        heard = hear(wire.pour(verb + b" /axis/" + method.encode() + b" HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n"))
        answer = heard.read(method)
        assert wire.hung_up()
    if method == "downloadEdoc":
        assert answer.http_status == 404
    else:
        assert (answer.code, answer.description[:19]) == ("10", "[request-malformed]")


@pytest.mark.parametrize("line", [b"POST /axis/getEdoc HTTP/9.9", b"POST /axis/getEdoc HTTX/1.1"])
def test_a_request_line_that_is_broken_behind_its_path_is_refused_in_the_dialect(served: Served, line: bytes) -> None:
    assert pour(served, line + b"\r\nHost: x\r\n\r\n").read("getEdoc").code == "10"


NO_HTTP = [b"Hello /axis/getEdoc\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"/axis/getEdoc\r\n\r\n", b"\0\r\n\r\n"]


@pytest.mark.parametrize("junk", NO_HTTP, ids=range(len(NO_HTTP)))
def test_what_names_no_path_is_refused_as_a_problem(served: Served, junk: bytes) -> None:
    assert problem(served, junk) == (400, "request-malformed")


def test_after_a_call_what_is_no_http_is_no_part_of_it(served: Served, office: Peer) -> None:
    with Wire(served.base_url) as wire:
        assert hear(wire.pour(raw("countReceiveEdoc", said(office)))).read("countReceiveEdoc").ok
        assert problem_or_refusal(wire.pour(b"\x16\x03\x01\x02\x00\x01"))
        assert wire.hung_up()


def problem_or_refusal(wire: Wire) -> bool:
    """JSON in either dialect."""
    answer = wire.hear()
    return "request-malformed" in (answer.body.get("code", ""), answer.body.get("ErrorDesc", "")[1:18])


@pytest.mark.parametrize("wanted", [b"websocket", b"h2c"])
def test_nothing_is_upgraded(served: Served, office: Peer, wanted: bytes) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: " + wanted
    data = raw("countReceiveEdoc", said(office)).replace(b"Content-Length: 0", upgrade)
    assert pour(served, data).read("countReceiveEdoc").ok


def test_http_1_0_is_answered_and_closed(served: Served, office: Peer) -> None:
    data = raw("countReceiveEdoc", said(office)).replace(b"HTTP/1.1", b"HTTP/1.0")
    with Wire(served.base_url) as wire:
        assert hear(wire.pour(data)).read("countReceiveEdoc").ok
        assert wire.hung_up()


def test_calls_on_one_connection_that_wait_for_no_answer_are_answered_in_turn(served: Served, office: Peer) -> None:
    methods = ["countReceiveEdoc", "downloadEdoc", "x", "getEdoc"]
    *first, last = [raw(method, said(office)) for method in methods]
    with Wire(served.base_url) as wire:
        wire.pour(b"".join(first) + last.replace(b"Host:", b"Connection: close\r\nHost:"))
        answers = wire.rest()
    assert [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]] == [200, 404, 200, 200]


# The end of the hub.


def test_a_call_that_the_end_of_the_hub_cuts_off_passes(tmp_path: Path) -> None:
    """The server answers a request that it waits for no longer, and did so in a text."""
    with ExitStack() as running, ThreadPoolExecutor(1) as aside:
        hub = running.enter_context(a_served_hub(tmp_path))
        hub.axis.enrol("H41")
        office = hub.axis.enrol("G22")
        packet = office.packet(office.draft("H41"))
        asked = [(b"Expect", b"100-continue"), *said(office, {"hash-file": hash_file(packet)})]
        whole = raw("sendEdoc", asked, packet + b"\r\n")
        with Wire(hub.base_url) as wire:
            with hub.axis.together():  # nothing is written meanwhile
                wire.pour(whole[: whole.index(b"\r\n\r\n") + 4])
                assert hear(wire).status == 100
                wire.pour(whole[whole.index(b"\r\n\r\n") + 4 :])
                ended = aside.submit(running.close)
                answer = hear(wire).read("sendEdoc")
            assert (answer.http_status, answer.code, answer.doc_id) == (503, "99", "")
        ended.result()


# Many.


@pytest.mark.long
def test_ten_thousand_idle_connections_of_ten_addresses_keep_nobody_from_calling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 10_500:
        pytest.skip(f"this process may have {most} files open")
    monkeypatch.setenv("HUB_HEAD_TIMEOUT", "300")
    monkeypatch.setenv("HUB_CHECKERS", "0")
    monkeypatch.setenv("HUB_CONNECTIONS_LIMIT", "10010")
    with serving(tmp_path) as hub, ExitStack() as open_:
        given = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        open_.callback(resource.setrlimit, resource.RLIMIT_NOFILE, given)
        peer = hub.peer("H41")
        before = resident(hub.pid)
        for n in range(10_000):  # HUB_CONNECTIONS_PER_ADDRESS of each
            wire = open_.enter_context(Wire(hub.url, source=f"127.0.0.{n % 10 + 2}"))
            if n % 4 == 0:
                wire.pour(b"POST /axis/getReceivedEdocList HTTP/1.1\r\nXroadVnpt-systemid: ")
        assert comes(lambda: len(os.listdir(f"/proc/{hub.pid}/fd")) > 10_000)
        with Wire(hub.url, source="127.0.0.2") as one_more:
            assert one_more.hung_up()
        began = time.monotonic()
        here = Served(hub.url, None)  # type: ignore[arg-type]  # asked, and nothing of it looked into
        assert ask(here, "getReceivedEdocList", said(peer), source="127.0.0.20").ok
        assert time.monotonic() - began < 10
        assert (resident(hub.pid) - before) / 10_000 < 16 * KIB


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * KIB


def test_beyond_all_connections_one_more_is_closed_without_a_byte(tmp_path: Path) -> None:
    """Nothing is better than a text: the client takes it for an error, and tries again."""
    with a_served_hub(tmp_path, connections_limit=2) as hub, Wire(hub.base_url) as first, Wire(hub.base_url) as second:
        office = hub.axis.enrol("G22")
        for wire in (first, second):
            assert hear(wire.pour(raw("countReceiveEdoc", said(office)))).read("countReceiveEdoc").ok
        with Wire(hub.base_url) as third:
            assert third.hung_up()
        assert hear(first.pour(raw("countReceiveEdoc", said(office)))).read("countReceiveEdoc").ok
