"""The client on a line where things go wrong: what it repeats, for how long, and what it leaves to the caller."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from builders.axis import Axis, Peer
from builders.calling import KINDS, OFFICE, PROVINCE, a_letter, ask, client, options
from builders.served import (
    Deed,
    Line,
    Served,
    a_line,
    answers,
    breaks_the_answer_off,
    changes_a_byte,
    cuts,
    is_silent,
    loses_the_answer,
    nobody_listens,
)

from clients.hub_client import HubClient, HubFailure, Refused, Unavailable
from clients.hub_client.client import ANSWER_LIMIT
from hub.domain.document import Document
from hub.domain.numbering import canonical_document_id
from hub.store import documents
from hub.store.engine import reading


def stored(axis: Axis, letter: Document) -> int:
    """How many documents the hub has under a letter's DocumentId."""
    with reading(axis.desk.engine) as connection:
        return len(documents.by_document_id(connection, [canonical_document_id(letter.document_id)], sender=OFFICE))


def bodies(line: Line) -> list[bytes]:
    return [request.partition(b"\r\n\r\n")[2] for request in line.requests]


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
        accepted, paused = ask(kind, line, office, "send", letter, timeout=3.0 if fault == "silence" else 20.0)
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
    assert (done["id"], done["state"]) == (delivery, "delivered")
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
    assert len({seconds / most for seconds, most in zip(paused, full, strict=True)}) > 1, "without jitter all meet"
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
    with nobody_listens() as port:
        gone, paused = ask("sync", Line(base_url=f"http://127.0.0.1:{port}"), office, "outbox", attempts=2)
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


def test_a_claim_whose_answer_was_lost_is_given_again(hub: Served, office: Peer, province: Peer) -> None:
    with client(hub, office) as sender:
        delivery = sender.send(a_letter(office, PROVINCE)).deliveries[0]["id"]
    with a_line(loses_the_answer, to=hub.base_url) as line:
        lease, _ = ask("sync", line, province, "take", delivery)
    assert len(lease.lease) == 24
    assert len(line.requests) == 2
