"""Two real systems: one speaks the gateway dialect, the other REST or the gateway dialect too. Whatever one sends the
other receives byte for byte, and whatever one reports the other reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from builders.axis import Peer, acting
from builders.gateway import a_client
from builders.reports import packet_of, ref
from builders.served import Served

from clients.gateway_client import GatewayClient
from clients.hub_client import HubClient


@dataclass
class ByGateway:
    """An agency's software that speaks the gateway dialect."""

    peer: Peer
    client: GatewayClient

    def send(self, packet: bytes) -> str:
        answer = self.client.send_edoc(packet, sender=self.peer.code)
        assert (answer.ok, answer.code) == (True, "0"), answer
        return answer.doc_id

    def report(self, packet: bytes) -> str:
        answer = self.client.send_edoc(packet, sender=self.peer.code, message_type="status")
        assert answer.ok, answer
        return answer.doc_id

    def receive(self, *, statuses: bool = False) -> list[tuple[str, bytes]]:
        """List, get, done: everything that waits, with its id."""
        listed = self.client.get_received_edoc_list("status" if statuses else "edoc").items
        received = [(item["docId"], self.client.get_edoc(item["docId"]).packet) for item in listed]
        for delivery_id, _ in received:
            assert self.client.update_status(delivery_id, "done").ok
        return received

    def states(self, document_id: str) -> list[str]:
        """What the sender reads of each recipient: done, fail, processing, initial."""
        return [item["receiveStatus"] for item in self.client.get_sent_edoc_list("edoc", document_id).items]


@dataclass
class ByRest:
    """An agency's software that speaks REST."""

    peer: Peer
    client: HubClient

    def send(self, packet: bytes) -> str:
        return self.client.send(packet).id

    def report(self, packet: bytes) -> str:
        return self.client.report(packet).id

    def receive(self, *, statuses: bool = False) -> list[tuple[str, bytes]]:
        wanted = "status" if statuses else "document"
        items = [item for item in self.client.inbox().items if item["type"] == wanted]
        received = [(item["id"], self.client.packet(item["id"]).packet) for item in items]
        for delivery_id, _ in received:
            self.client.done(delivery_id)
        return received

    def states(self, document_id: str) -> list[str]:
        words = {"waiting": "initial", "taken": "processing", "delivered": "done"}
        return [words.get(each["state"], "fail") for each in self.client.document(document_id)["deliveries"]]


Office = ByGateway | ByRest


def by_gateway(hub: Served, peer: Peer) -> ByGateway:
    return ByGateway(peer, a_client(hub, peer))


def by_rest(hub: Served, peer: Peer) -> ByRest:
    return ByRest(peer, HubClient(hub.base_url, peer.credentials["token"]))


PAIRS = {
    "gateway-to-rest": (by_gateway, by_rest),
    "rest-to-gateway": (by_rest, by_gateway),
    "gateway-to-gateway": (by_gateway, by_gateway),
}


@pytest.fixture(params=PAIRS.values(), ids=PAIRS)
def offices(request: pytest.FixtureRequest, served: Served) -> Iterator[tuple[Office, Office]]:
    """Văn phòng Chính phủ, who sends, and Nghệ An, who receives."""
    sends, receives = request.param
    sender, receiver = sends(served, served.axis.enrol("G22")), receives(served, served.axis.enrol("H41"))
    with sender.client, receiver.client:
        yield sender, receiver


def exchanged(sender: Office, receiver: Office, packet: bytes) -> str:
    """Send a document and have it received; gives its id."""
    document_id = sender.send(packet)
    ((_, received),) = receiver.receive()
    assert received == packet
    return document_id


def test_a_document_sent_by_one_is_received_by_the_other_byte_for_byte(offices: tuple[Office, Office]) -> None:
    sender, receiver = offices
    packet = sender.peer.packet(sender.peer.draft("H41"))
    document_id = sender.send(packet)
    assert sender.states(document_id) == ["initial"]
    ((_, received),) = receiver.receive()
    assert received == packet
    assert sender.states(document_id) == ["done"]
    assert receiver.receive() == []


def test_a_document_stays_fetchable_after_done(served: Served) -> None:
    office, province = served.axis.enrol("G22"), served.axis.enrol("H41")
    packet = office.packet(office.draft("H41"))
    office.post(packet)
    with a_client(served, province) as client:
        (item,) = client.get_received_edoc_list("edoc").items
        for _ in range(2):
            assert client.get_edoc(item["docId"]).packet == packet
            assert client.download_edoc(item["docId"]) == packet
            assert client.update_status(item["docId"], "done").ok


REACHED = {"revocation": "cancelled", "update": "none", "replacement": "replaced"}


def test_what_acts_on_an_earlier_document_reaches_the_other_and_is_answered(offices: tuple[Office, Office]) -> None:
    sender, receiver = offices
    for kind, reached in REACHED.items():
        original = sender.peer.draft("H41")
        document_id = exchanged(sender, receiver, sender.peer.packet(original))
        exchanged(sender, receiver, sender.peer.packet(sender.peer.draft("H41", **acting(kind, original))))
        receiver.report(packet_of(receiver.peer, response_for=ref(original), status="15", description="Đồng ý"))
        ((_, told),) = sender.receive(statuses=True)
        assert b"<edXML:StatusCode>15</edXML:StatusCode>" in told
        assert sender.peer.axis.states({"id": document_id}) == {"H41": f"delivered/{reached}"}, kind


def test_a_status_reported_in_one_is_read_in_the_other(offices: tuple[Office, Office]) -> None:
    sender, receiver = offices
    for code in ("01", "02", "03", "04", "05", "06"):
        original = sender.peer.draft("H41")
        document_id = exchanged(sender, receiver, sender.peer.packet(original))
        reason = "Sai thẩm quyền" if code == "02" else ""
        reported = packet_of(receiver.peer, response_for=ref(original), status=code, description=reason)
        receiver.report(reported)
        ((_, told),) = sender.receive(statuses=True)
        assert told == reported
        assert sender.peer.axis.states({"id": document_id}) == {"H41": f"delivered/{code}"}


def test_a_take_back_is_asked_in_one_and_answered_in_the_other(offices: tuple[Office, Office]) -> None:
    sender, receiver = offices
    for answer, reached in {"15": "cancelled", "16": "none"}.items():
        original = sender.peer.draft("H41")
        document_id = exchanged(sender, receiver, sender.peer.packet(original))
        named = ref(original, organ_id="H41")
        asked = packet_of(sender.peer, response_for=named, status="13", description="Gửi nhầm nơi nhận")
        sender.report(asked)
        ((_, told),) = receiver.receive(statuses=True)
        assert told == asked
        receiver.report(packet_of(receiver.peer, response_for=ref(original), status=answer, description="Trả lời"))
        assert len(sender.receive(statuses=True)) == 1
        assert sender.peer.axis.states({"id": document_id}) == {"H41": f"delivered/{reached}"}


def test_statuses_come_oldest_first_in_both_dialects(offices: tuple[Office, Office]) -> None:
    sender, receiver = offices
    original = sender.peer.draft("H41")
    exchanged(sender, receiver, sender.peer.packet(original))
    sent = []
    for code in ("01", "03", "05", "06"):
        sent.append(packet_of(receiver.peer, response_for=ref(original), status=code))
        receiver.report(sent[-1])
    assert [packet for _, packet in sender.receive(statuses=True)] == sent
