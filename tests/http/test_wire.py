"""The same hub on a real socket: requests that are declared and never sent, cut off, too long, or no HTTP at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from builders.api import STORED, UNKNOWN
from builders.axis import Peer
from builders.served import Served, a_lingering_hub, a_served_hub
from builders.wire import Wire, post
from sqlalchemy import func, select

from hub.store import tables as t
from hub.store.engine import reading

FIFTY_MEGABYTES = 50_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_lingering_hub(tmp_path_factory.mktemp("served")) as hub:
        yield hub


@pytest.fixture(scope="module")
def office(served: Served) -> Peer:
    served.axis.enrol("H41")
    return served.axis.enrol("G22")


def stored(hub: Served) -> int:
    with reading(hub.axis.desk.engine) as connection:
        counts = [select(func.count()).select_from(table) for table in (*STORED, t.refusal)]
        return sum(connection.execute(count).scalar_one() for count in counts)


PATHS = ["/v1/documents", "/v1/documents/validate", "/v1/statuses", f"/v1/deliveries/{UNKNOWN}/done"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("expect", [(), ("Expect: 100-continue",)], ids=["sent", "asked-first"])
def test_who_is_not_known_is_told_so_before_a_byte_of_the_body(
    served: Served, path: str, expect: tuple[str, ...]
) -> None:
    for authorization in ("", "Authorization: Bearer wrong"):
        with Wire(served.base_url) as wire:
            wire.say(*post(path, None, *filter(None, [authorization]), f"Content-Length: {FIFTY_MEGABYTES}", *expect))
            answer = wire.hear()
        assert (answer.status, answer.body["code"]) == (401, "not-authenticated")


def test_a_locked_system_is_told_so_before_a_byte_of_the_body(served: Served) -> None:
    locked = served.axis.enrol("H27")
    served.axis.steer("H27", "lock")
    served.axis.desk.rosters.current(now=True)
    with Wire(served.base_url) as wire:
        answer = wire.say(*post("/v1/documents", locked, f"Content-Length: {FIFTY_MEGABYTES}")).hear()
    assert (answer.status, answer.body["code"]) == (403, "system-locked")


def test_a_body_declared_too_large_is_refused_before_a_byte_of_it(served: Served, office: Peer) -> None:
    with Wire(served.base_url) as wire:
        answer = wire.say(*post("/v1/documents", office, "Content-Length: 60000000", "Expect: 100-continue")).hear()
    assert (answer.status, answer.body["code"]) == (413, "too-large")


def test_a_body_in_chunks_is_refused_before_a_byte_of_it(served: Served, office: Peer) -> None:
    with Wire(served.base_url) as wire:
        answer = wire.say(*post("/v1/documents", office, "Transfer-Encoding: chunked")).hear()
    assert (answer.status, answer.body["code"]) == (411, "length-required")


def test_who_asks_first_is_told_to_go_on_only_when_the_body_is_wanted(served: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    with Wire(served.base_url) as wire:
        wire.say(*post("/v1/documents", office, f"Content-Length: {len(packet)}", "Expect: 100-continue"))
        assert wire.hear().status == 100
        assert wire.pour(packet).hear().status == 201


def test_an_answered_connection_serves_the_next_request(served: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    with Wire(served.base_url) as wire:
        for status in (201, 200):
            answer = wire.say(*post("/v1/documents", office, f"Content-Length: {len(packet)}"), body=packet).hear()
            assert answer.status == status


@pytest.mark.parametrize("sent", [0, 1, 2_000, -1])
def test_a_connection_cut_in_the_body_leaves_nothing_behind(served: Served, office: Peer, sent: int) -> None:
    packet = office.packet(office.draft("H41"))
    before = stored(served)
    with Wire(served.base_url) as wire:
        wire.say(*post("/v1/documents", office, f"Content-Length: {len(packet)}"), body=packet[:sent])
    with Wire(served.base_url) as wire:  # the hub is well
        assert wire.say("GET /healthz HTTP/1.1", "Host: hub.example.vn").hear().status == 200
    assert stored(served) == before


def test_a_body_that_stops_coming_is_given_up_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, body_timeout=0.3) as hub:
        office = hub.axis.enrol("G22")
        hub.axis.enrol("H41")
        packet = office.packet(office.draft("H41"))
        began = time.monotonic()
        with Wire(hub.base_url) as wire:
            wire.say(*post("/v1/documents", office, f"Content-Length: {len(packet)}"), body=packet[:-1])
            answer = wire.hear()
        assert time.monotonic() - began >= 0.3
        assert (answer.status, answer.body["code"]) == (408, "body-late")
        assert int(answer.headers["retry-after"]) > 0
        assert stored(hub) == 0


def test_what_comes_after_the_declared_length_is_no_part_of_the_packet(served: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    head = post("/v1/documents", office, f"Content-Length: {len(packet)}")
    with Wire(served.base_url) as wire:
        answer = wire.say(*head, body=packet + b"<edXML/>\r\n\r\n").hear()
        assert answer.status == 201
        refused = answer.rest or wire.rest()  # none where the connection ended behind the answer
        assert not refused or refused.startswith(b"HTTP/1.1 400 ")
    with Wire(served.base_url) as wire:
        assert wire.say(*head, body=packet).hear().status == 200


NO_HTTP = [
    "Xin chào\r\n\r\n".encode(),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a port that speaks none
    b"\0" * 64 + b"\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /v1/inbox HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /v1/in\0box HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/inbox HTTP/1.1\r\nHo\0st: x\r\n\r\n",
    b"GET /v1/inbox HTTP/1.1\r\nno colon\r\n\r\n",
    b"POST /v1/documents HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/documents HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    b"POST /v1/documents HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/documents HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"GET /v1/inbox?after=" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("junk", NO_HTTP, ids=range(len(NO_HTTP)))
def test_what_is_no_http_is_refused_as_a_problem_and_hung_up_on(served: Served, junk: bytes) -> None:
    with Wire(served.base_url) as wire:
        answer = wire.pour(junk).hear()
        assert (answer.status, answer.body["code"]) == (400, "request-malformed")
        assert wire.hung_up()


ODD_PATHS = [
    *(f"/v1/documents/{name}" for name in ("%00", "%ff%fe", "%ED%A0%80", "%", "%2e%2e", "x" * 20_000)),
    *("/v1/agencies/%00/certificates", "/v1/inbox?after=%ff%00", "/v1/inbox?limit=%00"),
]


@pytest.mark.parametrize("path", ODD_PATHS, ids=range(len(ODD_PATHS)))
def test_an_address_in_any_bytes_is_answered_by_a_problem(served: Served, office: Peer, path: str) -> None:
    with Wire(served.base_url) as wire:
        answer = wire.say(f"GET {path} HTTP/1.1", *post("", office)[1:]).hear()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["code"] in {"not-found", "request-invalid"}


@pytest.mark.parametrize("size", [257 * 1024, 300_000, 8_000_000], ids=["just-above", "above", "far-above"])
def test_a_head_above_256_kib_is_refused_as_a_problem(served: Served, office: Peer, size: int) -> None:
    with Wire(served.base_url) as wire:
        answer = wire.say("GET /v1/inbox HTTP/1.1", *post("", office)[1:], "X-To: " + "x" * size).hear()
    assert (answer.status, answer.body["code"]) == (431, "head-too-large")


def test_a_head_of_114_kib_is_read(served: Served, office: Peer) -> None:
    with Wire(served.base_url) as wire:
        answer = wire.say("GET /v1/inbox HTTP/1.1", *post("", office)[1:], "X-To: " + "x" * 114 * 1024).hear()
    assert answer.status == 200


def test_a_hundred_connections_that_say_nothing_or_half_a_head_hold_nobody_up(served: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    head = post("/v1/documents", office, f"Content-Length: {len(packet)}")

    def send(_n: int) -> int:
        with Wire(served.base_url) as wire:
            return wire.say(*head, body=packet).hear().status

    with ExitStack() as open_ones, ThreadPoolExecutor(8) as pool:
        silent = [open_ones.enter_context(Wire(served.base_url)) for _ in range(100)]
        for wire in silent[::2]:
            wire.pour("\r\n".join(head[:2]).encode())
        assert sorted(pool.map(send, range(8))) == [200] * 7 + [201]
