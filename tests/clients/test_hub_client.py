"""The client against the real hub, over a socket and in one event loop: what its methods do, the same for both."""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.axis import START, Peer
from builders.calling import KINDS, OFFICE, PROVINCE, a_letter, a_report, ask, client, enrolled, options
from builders.packets import an_attachment
from builders.served import (
    Served,
    a_hub_in_this_loop,
    a_line,
    answers,
)

from clients.hub_client import AsyncHubClient, HubClient, Refused

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
        assert receiver.done(item["id"], lease.lease)["state"] == "delivered"
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


def test_a_lease_the_caller_named_is_given_again(hub: Served, office: Peer, province: Peer) -> None:
    with client(hub, office) as sender, client(hub, province) as receiver:
        delivery = sender.send(a_letter(office, PROVINCE)).deliveries[0]["id"]
        name = "68dc8b209ec5cae0da8101d6"
        assert receiver.take(delivery, name).lease == receiver.take(delivery, name).lease == name
        with pytest.raises(Refused, match="lease-held"):
            receiver.take(delivery)


def test_progress_tells_of_every_byte_that_goes_out_and_comes_in(hub: Served, office: Peer, province: Peer) -> None:
    told: list[tuple[int, int]] = []
    file = an_attachment("bản-scan.pdf", b"%PDF-1.7" + bytes(300_000))
    with client(hub, office, progress=lambda *step: told.append(step)) as sender:
        accepted = sender.send(a_letter(office, PROVINCE, attachments=(file,)))
    size = len(accepted.packet)
    out = [step for step in told if step[1] == size]
    assert out[-1] == (size, size)
    assert len(out) > 5
    assert out == sorted(out)
    told.clear()
    with client(hub, province, progress=lambda *step: told.append(step)) as receiver:
        received = receiver.packet(accepted.deliveries[0]["id"])
    assert received.packet == accepted.packet
    assert told[-1] == (size, size)


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


def test_a_long_poll_is_not_taken_for_a_lost_answer(hub: Served, office: Peer, province: Peer) -> None:
    transport = Watched()
    with client(hub, office) as sender, client(hub, province, timeout=20, transport=transport) as receiver:
        sender.send(a_letter(office, PROVINCE))
        assert receiver.inbox(wait=60).items
    assert transport.patience == [80]


# One protocol, two clients.

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("send", (b"<packet/>",)),
    ("validate", (b"<packet/>",)),
    ("report", (b"<status/>",)),
    ("inbox", ("czE", 7, 0.5)),
    ("inbox", ()),
    ("outbox", ("czE", 7)),
    ("take", ("id/với dấu",)),
    ("take", ("1", "68dc8b209ec5cae0da8101d6")),
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
    """Notes which connection each answer came by, and for how many seconds it was waited for at most."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[object] = []
        self.patience: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.patience.append(request.extensions["timeout"]["read"])
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
