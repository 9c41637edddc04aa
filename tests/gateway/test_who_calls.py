"""Who guesses secrets, who calls from elsewhere, and who caught a request and sends it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.api import STORED
from builders.axis import Axis, Peer
from builders.dialect import ask, pour, raw, said
from builders.gateway import a_client
from builders.served import Served, a_hub_in_this_loop, a_line, a_served_hub
from fastapi import FastAPI
from sqlalchemy import func, select

from clients.gateway_client import GatewayClient
from hub.exchange import enrol
from hub.gateway.lockout import PAUSE, TRIES
from hub.store import tables as t
from hub.store.engine import reading

ELSEWHERE = "127.0.0.2"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    with a_served_hub(tmp_path) as running:
        yield running


# Who guesses.


def guess(hub: Served, peer: Peer, times: int) -> None:
    for _ in range(times):
        assert ask(hub, "getReceivedEdocList", said(peer, secret="sai")).code == "15"


def test_after_ten_wrong_signatures_the_right_one_waits_a_minute_too(hub: Served) -> None:
    peer = hub.axis.enrol("G22")
    guess(hub, peer, TRIES)
    for secret in ("sai", ""):  # "": the right one
        answer = ask(hub, "getEdoc", said(peer, {"docId": "0" * 24}, secret))
        assert (answer.http_status, answer.code) == (503, "99")
        assert answer.description.startswith("[signatures-wrong]")
    refused = pour(hub, raw("downloadEdoc", said(peer)))
    assert (refused.status, refused.content, refused.headers["retry-after"]) == (503, b"", "60")
    hub.axis.clock.pass_(seconds=PAUSE.seconds - 1)
    assert ask(hub, "countReceiveEdoc", said(peer)).code == "99"
    hub.axis.clock.pass_(seconds=1)
    assert ask(hub, "countReceiveEdoc", said(peer)).ok
    guess(hub, peer, TRIES - 1)  # counted anew from there
    assert ask(hub, "countReceiveEdoc", said(peer)).ok


def test_whoever_is_locked_out_is_alone(hub: Served) -> None:
    peer, other = hub.axis.enrol("G22"), hub.axis.enrol("H41")
    guess(hub, peer, TRIES)
    assert ask(hub, "countReceiveEdoc", said(peer)).code == "99"
    assert ask(hub, "countReceiveEdoc", said(peer), source=ELSEWHERE).ok
    assert ask(hub, "countReceiveEdoc", said(other)).ok
    token = {"Authorization": f"Bearer {peer.credentials['token']}"}
    assert httpx.get(f"{hub.base_url}/v1/inbox", headers=token).status_code == 200


def test_a_right_signature_now_and_then_is_no_guessing(hub: Served) -> None:
    peer = hub.axis.enrol("G22")
    for _ in range(3):
        guess(hub, peer, TRIES - 1)
        assert ask(hub, "countReceiveEdoc", said(peer)).ok


def test_what_is_no_signature_at_all_locks_nobody_out(hub: Served) -> None:
    """A header that cannot be read names no system for certain."""
    peer = hub.axis.enrol("G22")
    for _ in range(TRIES + 1):
        assert ask(hub, "getReceivedEdocList", said(peer)[:1]).code == "15"
    assert ask(hub, "countReceiveEdoc", said(peer)).ok


def test_unknown_systems_are_neither_remembered_nor_locked_out(hub: Served) -> None:
    peer = hub.axis.enrol("G22")
    for _ in range(TRIES + 1):
        assert ask(hub, "getReceivedEdocList", said(peer, {"systemid": "ai đó"})).code == "15"


# From where.

Ask = Callable[[str], Awaitable[tuple[int, Any]]]


def seen_from(tmp_path: Path, story: Callable[[Axis, FastAPI], Awaitable[None]]) -> None:
    async def run() -> None:
        async with a_hub_in_this_loop(tmp_path) as (app, axis):
            await story(axis, app)

    asyncio.run(run())


async def code_for(app: FastAPI, address: str, peer: Peer, secret: str = "") -> str:
    """The ErrorCode of a call that the server saw coming from ``address``."""
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example.vn") as http:
        answer = await http.post("/axis/countReceiveEdoc", headers=said(peer, secret=secret))
        return str(answer.json()["ErrorCode"])


def test_whoever_has_one_ipv6_address_has_no_ten_guesses_from_each_of_the_others(tmp_path: Path) -> None:
    async def story(axis: Axis, app: FastAPI) -> None:
        peer = axis.enrol("G22")
        for n in range(TRIES):
            assert await code_for(app, f"2001:db8:0:1::{n:x}", peer, "sai") == "15"
        assert await code_for(app, "2001:db8:0:1:ffff::1", peer) == "99"
        assert await code_for(app, "2001:db8:0:2::1", peer) == "0"

    seen_from(tmp_path, story)


def test_ipv4_written_as_ipv6_is_the_ipv4_address(tmp_path: Path) -> None:
    async def story(axis: Axis, app: FastAPI) -> None:
        bound = axis.enrol("H41", addresses=("203.0.113.7/32", "2001:db8::/32"))
        for address, code in {
            "203.0.113.7": "0", "::ffff:203.0.113.7": "0", "::ffff:203.0.113.8": "15", "203.0.113.8": "15",
            "2001:db8::1": "0", "2001:db8::1%eth0": "0", "2001:db9::1": "15", "::1": "15", "": "15", "unknown": "15",
        }.items():  # fmt: skip
            assert await code_for(app, address, bound) == code, address
        free = axis.enrol("G22")
        for address in ("", "unknown", "::ffff:203.0.113.7"):
            assert await code_for(app, address, free) == "0"
        for n in range(TRIES):
            assert await code_for(app, f"::ffff:203.0.113.{n}", free, "sai") == "15"
        assert await code_for(app, "::ffff:203.0.113.99", free) == "0"  # of IPv4 each address is one holder's
        for _ in range(TRIES):
            assert await code_for(app, "::ffff:203.0.113.77", free, "sai") == "15"
        assert await code_for(app, "203.0.113.77", free) == "99"

    seen_from(tmp_path, story)


def codes(hub: Served, peer: Peer, source: str) -> tuple[str, int]:
    """What a call from there is told by the gateway, and with which status by REST."""
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport) as http:
        token = {"Authorization": f"Bearer {peer.credentials['token']}"}
        answer = http.get(f"{hub.base_url}/v1/inbox", headers=token)
        assert answer.status_code == 200 or answer.json()["code"] == "address-not-allowed"
    return ask(hub, "countReceiveEdoc", said(peer), source=source).code, answer.status_code


def test_a_system_bound_to_an_address_calls_from_nowhere_else_in_either_dialect(hub: Served) -> None:
    bound = hub.axis.enrol("G22", addresses=(f"{ELSEWHERE}/32",))
    assert codes(hub, bound, "127.0.0.1") == ("15", 403)
    assert codes(hub, bound, ELSEWHERE) == ("0", 200)
    told = ask(hub, "countReceiveEdoc", said(bound)).description
    assert "127.0.0.1" in told
    assert ELSEWHERE not in told


def test_whoever_does_not_hold_the_secret_learns_nothing_of_addresses(hub: Served) -> None:
    bound = hub.axis.enrol("G22", addresses=(f"{ELSEWHERE}/32",))
    told = ask(hub, "countReceiveEdoc", said(bound, secret="sai"))
    assert told == ask(hub, "countReceiveEdoc", said(bound, {"systemid": "ai đó"}))


def test_an_operator_binds_a_system_that_serves_already_and_lets_it_go_again(hub: Served) -> None:
    peer = hub.axis.enrol("G22")

    def bind(*addresses: str) -> None:
        hub.axis.desk.writer.run(enrol.steer, enrol.Steer("G22", "bind", addresses))
        hub.axis.desk.rosters.current(now=True)

    assert codes(hub, peer, "127.0.0.1") == ("0", 200)
    bind(ELSEWHERE, "2001:db8::/32")
    assert (codes(hub, peer, "127.0.0.1"), codes(hub, peer, ELSEWHERE)) == (("15", 403), ("0", 200))
    bind("127.0.0.0/8")
    assert (codes(hub, peer, "127.0.0.1"), codes(hub, peer, ELSEWHERE)) == (("0", 200), ("0", 200))
    bind(ELSEWHERE)
    bind()
    assert codes(hub, peer, "127.0.0.1") == ("0", 200)


# Who caught a request.


@contextmanager
def overheard(hub: Served, peer: Peer) -> Iterator[tuple[GatewayClient, list[bytes]]]:
    """The peer's client, and its requests as somebody on the line reads them."""
    with a_line(to=hub.base_url) as line, a_client(Served(line.base_url, hub.axis), peer) as client:
        yield client, line.requests


def turned_into(caught: bytes, method: str, body: bytes = b"") -> bytes:
    """The same headers for another method, with another body."""
    head, _, _ = caught.partition(b"\r\n\r\n")
    _, *lines = head.split(b"\r\n")
    verb = b"GET" if method == "downloadEdoc" else b"POST"
    kept = [line for line in lines if not line.lower().startswith((b"content-length:", b"expect:"))]
    return b"\r\n".join((verb + b" /axis/" + method.encode() + b" HTTP/1.1", *kept, b"Content-Length: %d" % len(body),
                         b"", b"")) + body  # fmt: skip


def rows(hub: Served, *tables: Any) -> list[int]:
    with reading(hub.axis.desk.engine) as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def listed(hub: Served, peer: Peer) -> dict[str, Any]:
    """Every agency as the gateway lists it now, by its code."""
    hub.axis.desk.rosters.current(now=True)
    data = ask(hub, "getSynchronizeUnit", said(peer)).items
    return {entry["code"]: {**entry, "version": 0} for entry in data}


OTHERS = ["H41", "000.00.00.H41", "H41.1", "000.00.01.H41", "G09", "G09.15", "G22", "000.00.00.G22", "W00", "X01", ""]


@pytest.mark.parametrize("code", OTHERS)
def test_a_caught_list_call_registers_nothing_outside_the_callers_own_units(hub: Served, code: str) -> None:
    """The very bytes of the call: neither path nor body is covered by its signature."""
    hub.axis.enrol("H41")
    peer = hub.axis.enrol("G22")
    with overheard(hub, peer) as (client, requests):
        assert client.get_agencies_list().ok
    before, routes = listed(hub, peer), rows(hub, t.system, t.certificate, t.agency, t.agency_alias)
    for parent in ("", "G22", code):
        body = f'{{"id":"","pcode":"{parent}","code":"{code}","name":"Cơ quan giả","mail":"","mobile":"","fax":""}}'
        assert pour(hub, turned_into(requests[0], "registerAgency", body.encode())).read("registerAgency").code == "22"
    assert listed(hub, peer) == before
    assert rows(hub, t.system, t.certificate, t.agency, t.agency_alias) == routes


def test_a_caught_list_call_registers_at_most_a_name_below_the_callers_own_code(hub: Served) -> None:
    hub.axis.enrol("H41")
    peer = hub.axis.enrol("G22")
    with overheard(hub, peer) as (client, requests):
        assert client.get_agencies_list().ok
    before = listed(hub, peer)
    body = '{"id":"","pcode":"","code":"G22.99","name":"Đơn vị giả","mail":"","mobile":"","fax":""}'.encode()
    assert pour(hub, turned_into(requests[0], "registerAgency", body)).read("registerAgency").ok
    after = listed(hub, peer)
    assert {code for code in after if after[code] != before.get(code)} == {"G22.99"}
    assert after["G22.99"]["centerCode"] == "G22"  # what is sent there still comes to the caller


def test_a_caught_call_deletes_nothing_since_the_code_would_be_signed(hub: Served) -> None:
    peer = hub.axis.enrol("G22")
    with overheard(hub, peer) as (client, requests):
        body = '{"id":"","pcode":"","code":"G22.98","name":"Vụ thử nghiệm","mail":"","mobile":"","fax":""}'
        assert client.register_agency(body).ok
    before = listed(hub, peer)
    beside = requests[0].replace(b"\r\n\r\n", b"\r\nXroadVnpt-AgencyCode: G22.98\r\n\r\n", 1)
    assert pour(hub, turned_into(beside, "deleteAgency")).read("deleteAgency").code == "22"
    assert listed(hub, peer) == before


def test_a_caught_document_is_one_document_whenever_it_is_sent_again(hub: Served) -> None:
    receiver, peer = hub.axis.enrol("H41"), hub.axis.enrol("G22")
    with overheard(hub, peer) as (client, requests):
        first = client.send_edoc(peer.packet(peer.draft("H41")), sender="G22")
    (delivery,) = receiver.waiting()
    receiver.receive(delivery)
    before = rows(hub, *STORED)
    for _ in range(5):
        hub.axis.clock.pass_(days=20)
        assert pour(hub, requests[0]).read("sendEdoc").doc_id == first.doc_id
    assert rows(hub, *STORED) == before
    assert receiver.waiting() == []


def test_a_caught_document_with_another_body_is_refused_and_leaves_nothing(hub: Served) -> None:
    hub.axis.enrol("H41")
    peer = hub.axis.enrol("G22")
    packets = [peer.packet(peer.draft("H41")) for _ in range(2)]
    with overheard(hub, peer) as (client, requests):
        assert client.send_edoc(packets[0], sender="G22").ok
    before = rows(hub, *STORED, t.refusal)
    for body in (packets[1] + b"\r\n", packets[0] + b" \r\n", packets[0][:-1] + b"\r\n", b"", b"\r\n"):
        answer = pour(hub, turned_into(requests[0], "sendEdoc", body)).read("sendEdoc")
        assert (answer.code, answer.doc_id) == ("15", "")
    assert rows(hub, *STORED, t.refusal) == before


def test_a_caught_call_of_another_method_sends_nothing(hub: Served) -> None:
    hub.axis.enrol("H41")
    peer = hub.axis.enrol("G22")
    packet = peer.packet(peer.draft("H41"))
    with overheard(hub, peer) as (client, requests):
        assert client.get_agencies_list().ok
        assert client.count_receive_edoc().ok
    for caught in requests:
        assert pour(hub, turned_into(caught, "sendEdoc", packet + b"\r\n")).read("sendEdoc").code == "15"
    assert rows(hub, *STORED) == [0] * len(STORED)


def test_a_caught_fetch_ends_no_delivery_unless_it_carries_a_status(hub: Served) -> None:
    receiver, peer = hub.axis.enrol("H41"), hub.axis.enrol("G22")
    ids = [peer.send("H41")["deliveries"][0]["id"] for _ in range(2)]
    with overheard(hub, receiver) as (client, requests):
        assert client.get_edoc(ids[0]).ok
        assert pour(hub, turned_into(requests[0], "updateStatus")).read("updateStatus").code == "22"
        assert hub.axis.delivery(ids[0]).state.value == "waiting"
        assert client.update_status(ids[0], "done").ok
        assert client.get_edoc(ids[1]).ok
    # Decision 29: this is what TLS and addresses are for, and it acts on nothing but the delivery that was fetched.
    assert pour(hub, turned_into(requests[2], "updateStatus")).read("updateStatus").ok
    assert [hub.axis.delivery(each).state.value for each in ids] == ["delivered", "delivered"]
