"""The client against the real hub: over a socket, in one event loop, and over a line on which things go wrong."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from builders.axis import START, Axis, Peer
from builders.keys import a_certificate
from builders.packets import an_attachment
from builders.served import (
    Deed,
    Line,
    Served,
    a_hub_in_this_loop,
    a_line,
    a_served_hub,
    answers,
    breaks_the_answer_off,
    changes_a_byte,
    cuts,
    is_silent,
    loses_the_answer,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.hub_client import AsyncHubClient, HubClient, HubFailure, Refused, Unavailable
from clients.hub_client.client import ANSWER_LIMIT
from clients.hub_client.proofs import statement
from hub.domain.document import DocumentRef, Organization, StatusReport
from hub.domain.numbering import canonical_document_id
from hub.domain.signature import Standing
from hub.errors import Refusal
from hub.exchange import enrol
from hub.store import documents
from hub.store.engine import reading

OFFICE, PROVINCE = "G22", "H41"
KINDS = ("sync", "async")
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_served_hub(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture(scope="module")
def office(hub: Served) -> Peer:
    return enrolled(hub, OFFICE)


@pytest.fixture(scope="module")
def province(hub: Served) -> Peer:
    return enrolled(hub, PROVINCE)


def enrolled(hub: Served, code: str, name: str = "", **terms: Any) -> Peer:
    """An agency that the hub's next answer knows of: its snapshot of the directory may be a second old."""
    peer = hub.axis.enrol(code, name, **terms)
    hub.axis.desk.rosters.current(now=True)
    return peer


def options(peer: Peer, **changes: Any) -> dict[str, Any]:
    known = {"token": peer.credentials["token"], "key": peer.key, "certificate": peer.certificate}
    return known | {"timeout": 20.0, "random": Random(1), "sleep": lambda seconds: None} | changes


def client(hub: Served | Line, peer: Peer, **changes: Any) -> HubClient:
    return HubClient(hub.base_url, **options(peer, **changes))


def ask(kind: str, hub: Served | Line, peer: Peer, call: str, *args: Any, **changes: Any) -> tuple[Any, list[float]]:
    """One call by either client, and the seconds it paused. A failure is given back like a result."""
    paused: list[float] = []
    try:
        if kind == "sync":
            with client(hub, peer, sleep=paused.append, **changes) as sync:
                return getattr(sync, call)(*args), paused

        async def pause(seconds: float) -> None:
            paused.append(seconds)

        async def run() -> Any:
            async with AsyncHubClient(hub.base_url, **options(peer, sleep=pause, **changes)) as asynchronous:
                return await getattr(asynchronous, call)(*args)

        return asyncio.run(run()), paused
    except HubFailure as failure:
        return failure, paused


def a_letter(sender: Peer, to: str, **changes: Any) -> Any:
    """A new document with a number nobody has."""
    return sender.draft(to, number=str(next(numbers)), **changes)


def a_report(reporter: Peer, letter: Any, status: str, description: str = "") -> StatusReport:
    named = DocumentRef(letter.sender.organ_id, document_id=letter.document_id)
    by = Organization(organ_id=reporter.code, name=reporter.name)
    return StatusReport(by, named, status=status, description=description, timestamp="2025/10/01 09:00:00")


def stored(axis: Axis, letter: Any) -> int:
    """How many documents the hub has under a letter's DocumentId."""
    with reading(axis.desk.engine) as connection:
        return len(documents.by_document_id(connection, canonical_document_id(letter.document_id)))


def _der(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def bodies(line: Line) -> list[bytes]:
    return [request.partition(b"\r\n\r\n")[2] for request in line.requests]


# The story.


def test_a_document_travels_and_its_sender_reads_what_became_of_it(hub: Served, office: Peer, province: Peer) -> None:
    letter = a_letter(office, PROVINCE, attachments=(an_attachment("Kế hoạch số 5.pdf"),))
    with client(hub, office) as sender, client(hub, province) as receiver:
        assert sender.validate(letter).valid
        accepted = sender.send(letter)
        assert accepted.new
        assert accepted.document_id == letter.document_id
        assert accepted.signature == {"standing": "signed", "signer": OFFICE}
        [delivery] = accepted.deliveries
        assert delivery["to"] == PROVINCE

        [item] = [item for item in receiver.poll(wait=0) if item["id"] == delivery["id"]]
        assert item["document"]["subject"] == letter.subject
        lease = receiver.take(item["id"])
        assert lease.until - START == timedelta(minutes=5)
        received = receiver.packet(item["id"])
        assert received.packet == accepted.packet
        assert received.sha256 == accepted.sha256 == item["sha256"]
        assert receiver.done(item["id"], lease.lease) == {"id": item["id"], "state": "delivered"}
        file = receiver.attachment(accepted.id, 1)
        assert (file.name, file.content) == ("Kế hoạch số 5.pdf", letter.attachments[0].content)

        reported = receiver.report(a_report(province, letter, "03"))
        assert (reported.new, reported.document, reported.status) == (True, accepted.id, "03")
        story = sender.document(accepted.id)
        assert [(one["state"], one["status"]) for one in story["deliveries"]] == [("delivered", "03")]
        about = [event for event in sender.outbox(limit=500).items if event["document"]["id"] == accepted.id]
        assert [event["what"] for event in about] == ["delivered", "status"]


def test_the_same_story_in_an_event_loop(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_hub_in_this_loop(tmp_path) as (app, axis):
            office, province = axis.enrol(OFFICE), axis.enrol(PROVINCE)
            made = {"base_url": "http://hub", "transport": httpx.ASGITransport(app)}
            async with (
                AsyncHubClient(**made, **options(office)) as sender,
                AsyncHubClient(**made, **options(province)) as receiver,
            ):
                letter = a_letter(office, PROVINCE)
                # Waiting when the letter comes, or after it: both must answer.
                waiting = asyncio.ensure_future(receiver.inbox(wait=30))
                accepted = await sender.send(letter)
                [item] = (await waiting).items
                assert [each["id"] async for each in receiver.poll(wait=0)] == [item["id"]]
                lease = await receiver.take(item["id"])
                received = await receiver.packet(item["id"])
                assert received.packet == accepted.packet
                verified = await receiver.verify(received.packet, at=START)
                assert verified.verdict.owner == OFFICE
                await receiver.done(item["id"], lease.lease)
                assert (await receiver.attachment(accepted.id, 1)).content == letter.attachments[0].content
                reported = await receiver.report(a_report(province, letter, "06"))
                assert reported.document == accepted.id
                assert (await sender.document(accepted.id))["state"] == "completed"
                assert len((await sender.outbox()).items) == 2

    asyncio.run(story())


def test_a_packet_that_cannot_be_taken_is_said_to_have_failed(hub: Served, office: Peer, province: Peer) -> None:
    with client(hub, office) as sender, client(hub, province) as receiver:
        delivery = sender.send(a_letter(office, PROVINCE)).deliveries[0]["id"]
        receiver.packet(delivery)
        assert receiver.failed(delivery, "Ổ đĩa đầy")["state"] == "failed"
        [failed] = [event for event in sender.outbox(limit=500).items if event["delivery"] == delivery]
        assert (failed["what"], failed["detail"]) == ("failed", "Ổ đĩa đầy")


def test_lists_go_on_where_the_last_page_ended(hub: Served, office: Peer) -> None:
    other = enrolled(hub, "H36")
    with client(hub, office) as sender, client(hub, other) as receiver:
        sent = [sender.send(a_letter(office, "H36")).deliveries[0]["id"] for _ in range(3)]
        first = receiver.inbox(limit=2)
        assert [item["id"] for item in first.items] == sent[:2]
        second = receiver.inbox(first.next)
        assert [item["id"] for item in second.items] == sent[2:]
        assert receiver.inbox(second.next).items == ()
        assert [item["id"] for item in receiver.poll(wait=0)] == sent
        [found] = sender.agencies("nghe an", limit=1).items
        assert found["code"] == PROVINCE
        page = sender.agencies(limit=2)
        assert sender.agencies(after=page.next, limit=1).items[0]["code"] > page.items[-1]["code"]


def test_polling_endlessly_takes_what_comes_later_and_pauses_between_empty_turns(hub: Served, office: Peer) -> None:
    receiver = enrolled(hub, "H32")
    letters = [a_letter(office, "H32"), a_letter(office, "H32")]
    with client(hub, office) as sender:
        paused: list[float] = []

        def pause(seconds: float) -> None:
            paused.append(seconds)
            sender.send(letters[1])

        sender.send(letters[0])
        with client(hub, receiver, sleep=pause) as polling:
            items = polling.poll(wait=0.01)
            got = [next(items)["document"]["document_id"], next(items)["document"]["document_id"]]
    assert got == [letter.document_id for letter in letters]
    assert [0.25 <= seconds <= 0.5 for seconds in paused] == [True]


def test_a_long_poll_is_not_taken_for_a_lost_answer(hub: Served) -> None:
    silent = enrolled(hub, "H33")
    with a_line(to=hub.base_url) as line:
        page, paused = ask("sync", line, silent, "inbox", None, 100, 0.6, timeout=0.5)
    assert (page.items, paused, len(line.requests)) == ((), [], 1)


# Things go wrong.

FAULTS: dict[str, Deed] = {
    "cut": cuts,
    "answer lost": loses_the_answer,
    "answer broken off": breaks_the_answer_off,
    "silence": is_silent,
    "overloaded": answers(503, Retry_After="2"),
    "too many requests": answers(429),
    "body too slow": answers(408),
    "a gateway's page": answers(502, b"<h1>Bad Gateway</h1>"),
    "somebody else's success": answers(200, b"<h1>Welcome</h1>"),
    "success without the members": answers(201, b"[]"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", list(FAULTS))
def test_whatever_happens_on_the_way_the_same_bytes_are_sent_again_and_one_document_results(
    hub: Served, office: Peer, province: Peer, kind: str, fault: str
) -> None:
    letter = a_letter(office, PROVINCE)
    with a_line(FAULTS[fault], to=hub.base_url) as line:
        accepted, paused = ask(kind, line, office, "send", letter, timeout=1.0 if fault == "silence" else 20.0)
    assert accepted.document_id == letter.document_id
    assert accepted.new is (fault not in {"answer lost", "answer broken off"})
    assert bodies(line) == [accepted.packet] * 2
    assert stored(hub.axis, letter) == 1
    assert len(accepted.deliveries) == 1
    assert len(paused) == 1


def test_done_may_be_repeated_after_a_lost_answer(hub: Served, office: Peer, province: Peer) -> None:
    with client(hub, office) as sender, client(hub, province) as receiver:
        delivery = sender.send(a_letter(office, PROVINCE)).deliveries[0]["id"]
        lease = receiver.take(delivery).lease
        receiver.packet(delivery)
    with a_line(loses_the_answer, to=hub.base_url) as line:
        done, _ = ask("sync", line, province, "done", delivery, lease)
    assert done == {"id": delivery, "state": "delivered"}
    assert len(line.requests) == 2


@pytest.mark.parametrize("fault", [changes_a_byte, breaks_the_answer_off])
def test_a_packet_that_arrives_otherwise_than_the_hub_holds_it_is_fetched_again(
    hub: Served, office: Peer, province: Peer, fault: Deed
) -> None:
    with client(hub, office) as sender:
        accepted = sender.send(a_letter(office, PROVINCE))
    with a_line(fault, to=hub.base_url) as line:
        received, _ = ask("sync", line, province, "packet", accepted.deliveries[0]["id"])
    assert received.packet == accepted.packet
    assert len(line.requests) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_final_refusal_is_not_repeated_and_says_how_to_repair(
    hub: Served, office: Peer, province: Peer, kind: str
) -> None:
    letter = a_letter(office, PROVINCE, subject="", promulgation_date="30-09-2025")
    with a_line(to=hub.base_url) as line:
        refused, paused = ask(kind, line, office, "send", letter)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.status, len(line.requests), paused) == ("packet-refused", 422, 1, [])
    assert {violation.pointer for violation in refused.violations} >= {
        "MessageHeader/Subject",
        "MessageHeader/PromulgationInfo/PromulgationDate",
    }
    text = str(refused)
    assert text.startswith("packet-refused (422): Gói tin vi phạm quy tắc; xem từng vi phạm. / The packet breaks rules")
    assert "\n- MessageHeader/PromulgationInfo/PromulgationDate = '30-09-2025' " in text
    assert "→ 2025/09/30" in text
    assert refused.request_id


def test_a_conflict_names_the_first_document(hub: Served, office: Peer, province: Peer) -> None:
    letter = a_letter(office, PROVINCE)
    with client(hub, office) as sender:
        first = sender.send(letter)
        with pytest.raises(Refused) as caught:
            sender.send(replace(letter, subject="V/v khác"))
        foreseen = sender.validate(replace(letter, subject="V/v khác"))
    assert (caught.value.code, caught.value.status) == ("document-conflict", 409)
    assert first.id in str(caught.value)
    assert (foreseen.valid, foreseen.code) == (False, "document-conflict")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [302, 403, 404, 413])
def test_an_answer_of_somebody_on_the_way_that_repeating_cannot_mend_is_final(
    office: Peer, kind: str, status: int
) -> None:
    with a_line(answers(status, b"<h1>No</h1>")) as line:
        refused, _ = ask(kind, line, office, "inbox")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.status, len(line.requests)) == (f"http-{status}", status, 1)


def test_a_wrong_token_is_final(hub: Served, office: Peer) -> None:
    refused, paused = ask("sync", hub, office, "inbox", token="sai")
    assert (refused.code, paused) == ("not-authenticated", [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_retry_after_is_waited_for(hub: Served, office: Peer, kind: str) -> None:
    with a_line(answers(503, Retry_After="7"), answers(429, Retry_After="30"), to=hub.base_url) as line:
        page, paused = ask(kind, line, office, "outbox")
    assert not isinstance(page, HubFailure)
    assert 7.25 <= paused[0] <= 7.5
    assert 30.5 <= paused[1] <= 31


def test_a_date_in_retry_after_is_left_to_the_pauses(hub: Served, office: Peer) -> None:
    with a_line(answers(503, Retry_After="Wed, 01 Oct 2025 02:00:00 GMT"), to=hub.base_url) as line:
        _, paused = ask("sync", line, office, "outbox")
    assert [0.25 <= seconds <= 0.5 for seconds in paused] == [True]


def test_who_is_told_to_come_back_in_an_hour_is_left_to_decide(office: Peer) -> None:
    with a_line(answers(503, Retry_After="3600")) as line:
        gone, paused = ask("sync", line, office, "outbox")
    assert isinstance(gone, Unavailable)
    assert (gone.tries, gone.retry_after, paused) == (1, 3600, [])


@pytest.mark.parametrize("kind", KINDS)
def test_tries_are_bounded_and_pauses_double(office: Peer, kind: str) -> None:
    with a_line(*[cuts] * 9) as line:
        gone, paused = ask(kind, line, office, "outbox", attempts=9)
    assert isinstance(gone, Unavailable)
    assert (gone.tries, len(line.requests)) == (9, 9)
    full = [0.5, 1, 2, 4, 8, 16, 32, 60]
    assert all(most / 2 <= seconds <= most for seconds, most in zip(paused, full, strict=True))
    assert paused != full, "without jitter all come back together"
    assert "9 lần thử" in str(gone)
    assert "RemoteProtocolError" in str(gone)


def test_the_last_problem_is_told_when_the_client_gives_up(office: Peer) -> None:
    body = (
        '{"code": "storage-full", "title": "The hub is temporarily out of storage.", '
        '"detail": "Trục tạm hết chỗ lưu trữ.", "violations": []}'
    ).encode()
    with a_line(*[answers(503, body)] * 2) as line:
        gone, _ = ask("sync", line, office, "outbox", attempts=2)
    assert isinstance(gone, Unavailable)
    assert "storage-full (503): Trục tạm hết chỗ lưu trữ. / The hub is temporarily out of storage." in str(gone)
    assert isinstance(gone.__cause__, Refused)


def test_nobody_listening_is_unavailable(office: Peer) -> None:
    with a_line() as line:
        pass
    gone, paused = ask("sync", line, office, "outbox", attempts=2)
    assert isinstance(gone, Unavailable)
    assert len(paused) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_endless_answer_is_cut_short(office: Peer, kind: str) -> None:
    with a_line(answers(200, bytes(ANSWER_LIMIT + 1))) as line:
        gone, paused = ask(kind, line, office, "packet", "0" * 24)
    assert isinstance(gone, Unavailable)
    assert (str(ANSWER_LIMIT) in str(gone), paused, len(line.requests)) == (True, [], 1)


def test_an_address_that_is_none_is_the_callers_mistake(office: Peer) -> None:
    paused: list[float] = []
    wrong = HubClient("ftp://hub", **options(office, sleep=paused.append))
    with wrong, pytest.raises(httpx.UnsupportedProtocol):
        wrong.inbox()
    assert paused == []


def test_a_document_is_not_sent_without_a_key(hub: Served, office: Peer) -> None:
    with client(hub, office, key=None) as keyless:
        with pytest.raises(ValueError, match="key"):
            keyless.send(a_letter(office, PROVINCE))
        with pytest.raises(ValueError, match="key"):
            keyless.register_certificate(OFFICE, office.system_id)


# One protocol, two clients.

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("send", (b"<packet/>",)),
    ("validate", (b"<packet/>",)),
    ("report", (b"<status/>",)),
    ("inbox", ("czE", 7, 0.5)),
    ("inbox", ()),
    ("outbox", ("czE", 7)),
    ("take", ("id/với dấu",)),
    ("packet", ("1",)),
    ("done", ("1", "lease")),
    ("done", ("1",)),
    ("failed", ("1", "Lý do", "lease")),
    ("document", ("1",)),
    ("attachment", ("1", 2)),
    ("agencies", ("Nghệ An & Hà Tĩnh", "G22", 5)),
    ("certificates", ("000.00.00.H41",)),
]


@pytest.mark.parametrize(("call", "args"), CALLS)
def test_both_clients_make_the_same_requests(office: Peer, call: str, args: tuple[Any, ...]) -> None:
    with a_line(*[answers(503), answers(418)] * 2) as line:
        outcomes = [ask(kind, line, office, call, *args) for kind in KINDS]
    first, second, *others = line.requests
    assert first == second
    assert [first, second] == others
    assert [(type(failure), failure.status, paused) for failure, paused in outcomes] == [
        (Refused, 418, outcomes[0][1])
    ] * 2


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[Any]]:
        public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
        return {name: list(inspect.signature(member).parameters.values()) for name, member in public.items()}

    assert methods(HubClient) == methods(AsyncHubClient)


def test_the_token_and_the_packets_type_are_in_the_request(hub: Served, office: Peer, province: Peer) -> None:
    with a_line(to=hub.base_url) as line:
        ask("sync", line, office, "send", a_letter(office, PROVINCE))
    head = line.requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"POST /v1/documents HTTP/1.1"
    assert f"Authorization: Bearer {office.credentials['token']}".encode() in head
    assert b"Content-Type: application/xml" in head


class Watched(httpx.HTTPTransport):
    """Notes which connection each answer came by."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[object] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self.ends.append(response.extensions["network_stream"].get_extra_info("client_addr"))
        return response


def test_a_connection_is_used_again(hub: Served, office: Peer) -> None:
    transport = Watched()
    with client(hub, office, transport=transport) as sender:
        sender.outbox()
        sender.inbox()
        with pytest.raises(Refused):
            sender.document("0" * 24)
    assert len(transport.ends) == 3
    assert len(set(transport.ends)) == 1


# Certificates and who signed.


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_client_and_hub_make_the_same_statement(system_id: str, code: str, one_time_code: str) -> None:
    _, certificate = a_certificate()
    expected = enrol.statement(system_id, code, certificate, one_time_code)
    assert statement(system_id, code, certificate, one_time_code) == expected


@pytest.mark.parametrize("deeds", [[], [loses_the_answer]], ids=["heard", "answer lost"])
@pytest.mark.parametrize(("code", "key"), [("H17", "P-256"), ("H18", "P-384"), ("H19", "RSA-2048")])
def test_the_first_certificate_is_registered_by_code_and_the_next_by_the_first(
    hub: Served, code: str, key: str, deeds: list[Deed]
) -> None:
    peer = enrolled(hub, f"{code}.{len(deeds) + 1}", f"Sở Ví dụ {len(deeds)}", keyed=False, key=key)
    with a_line(*deeds, to=hub.base_url) as line:
        arguments = (peer.code, peer.system_id, peer.credentials["code"])
        first, _ = ask("sync", line, peer, "register_certificate", *arguments)
    assert first.agency == peer.code
    new_key, new_certificate = a_certificate(f"Khóa mới của {peer.name}", key)
    renewed = replace(peer, key=new_key, certificate=new_certificate)
    with a_line(*deeds, to=hub.base_url) as line:
        arguments = (peer.code, peer.system_id, "", (peer.key, peer.certificate))
        second, _ = ask("sync", line, renewed, "register_certificate", *arguments)
    with client(hub, renewed) as registered:
        served = registered.certificates(peer.code)
    assert {each.certificate for each in served} == {peer.certificate, new_certificate}
    prints = [hashlib.sha256(_der(each)).hexdigest() for each in (peer.certificate, new_certificate)]
    assert prints == [first.fingerprint, second.fingerprint]


def test_a_registration_that_never_happened_stays_refused(hub: Served) -> None:
    peer = enrolled(hub, "H20", keyed=False)
    with a_line(cuts, to=hub.base_url) as line:
        refused, _ = ask("sync", line, peer, "register_certificate", peer.code, peer.system_id, "đoán")
    assert isinstance(refused, Refused)
    assert refused.code == "one-time-code-wrong"


@pytest.fixture(scope="module")
def packet(hub: Served, office: Peer, province: Peer) -> bytes:
    with client(hub, office) as sender:
        return sender.send(a_letter(office, PROVINCE, subject="V/v kiểm tra chữ ký")).packet


def test_the_receiver_verifies_who_signed(hub: Served, office: Peer, province: Peer, packet: bytes) -> None:
    with client(hub, province) as receiver:
        verified = receiver.verify(packet, at=START)
        offline = receiver.verify(packet, receiver.certificates(OFFICE), at=START)
    assert (verified.verdict.standing, verified.verdict.owner) == (Standing.SIGNED, OFFICE)
    assert verified.verdict.fingerprint == hashlib.sha256(_der(office.certificate)).hexdigest()
    assert getattr(verified.content, "subject", "") == "V/v kiểm tra chữ ký"
    assert offline.verdict == verified.verdict


def test_a_report_is_verified_like_a_document(hub: Served, office: Peer, province: Peer) -> None:
    letter = a_letter(office, PROVINCE)
    with client(hub, office) as sender, client(hub, province) as receiver:
        receiver.packet(sender.send(letter).deliveries[0]["id"])
        reported = receiver.report(a_report(province, letter, "03"))
        assert reported.delivery is not None
        verified = sender.verify(sender.packet(reported.delivery).packet, at=START)
    assert (verified.verdict.owner, getattr(verified.content, "status", "")) == (PROVINCE, "03")


def test_what_the_platform_signed_is_said_to_be_so(hub: Served, office: Peer, province: Peer) -> None:
    below = replace(province, code="H41.18")
    signed = below.packet(a_letter(below, OFFICE))
    with client(hub, office) as receiver:
        verified = receiver.verify(signed, at=START)
    assert (verified.verdict.standing, verified.verdict.owner) == (Standing.SIGNED_BY_PLATFORM, PROVINCE)


def test_a_changed_packet_is_not_verified(hub: Served, province: Peer, packet: bytes) -> None:
    changed = packet.replace("V/v kiểm tra".encode(), b"V/v kiem tra")
    assert _refusal(hub, province, changed) == "signature-digest"


def test_an_unsigned_packet_is_not_verified(hub: Served, office: Peer, province: Peer) -> None:
    assert _refusal(hub, province, office.packet(a_letter(office, PROVINCE), signed=False)) == "signature-required"


def test_another_agencys_signature_does_not_count(hub: Served, office: Peer, province: Peer) -> None:
    forged = province.packet(a_letter(office, PROVINCE))
    assert _refusal(hub, province, forged) == "certificate-unknown"


def test_a_certificate_does_not_count_before_it_was_registered(hub: Served, province: Peer, packet: bytes) -> None:
    assert _refusal(hub, province, packet, at=START - timedelta(seconds=1)) == "certificate-ended"


def test_without_a_moment_the_present_counts(hub: Served, province: Peer, packet: bytes) -> None:
    after_its_end = START + timedelta(days=3000)
    assert _refusal(hub, province, packet, clock=lambda: after_its_end) == "certificate-ended"


def _refusal(hub: Served, reader: Peer, packet: bytes, at: Any = None, **changes: Any) -> str:
    with client(hub, reader, **({"clock": lambda: START} | changes)) as receiver, pytest.raises(Refusal) as caught:
        receiver.verify(packet, at=at)
    return caught.value.code
