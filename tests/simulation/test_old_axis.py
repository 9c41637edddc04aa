"""The national axis as it failed in its first years, for software that must live with one: each failure by order."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from builders.axis import Peer
from builders.packets import an_attachment
from builders.simulated import Rest, Simulated, software

LONG = "Báo cáo kết quả thực hiện nhiệm vụ cải cách hành chính " * 5  # 280 characters
TOO_LONG: list[dict[str, Any]] = [{"subject": LONG}, {"content": LONG}]
FILE = {"attachments": (an_attachment("Phụ lục số liệu " * 16 + ".pdf"),)}


def a_packet(office: Peer, **changes: Any) -> bytes:
    return office.packet(office.draft("H41", **changes))


def test_every_document_seems_to_come_from_the_government_office(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    receiver = software(hub, province, dialect)
    office.send("H41")
    assert receiver.senders() == ["G12"]
    hub.control.put("/old-axis", ["sender-is-always-vpcp"])
    assert receiver.senders() == ["G22"]
    hub.control.put("/old-axis", [])
    assert receiver.senders() == ["G12"]


def test_the_issuer_is_shown_wrong_too_also_of_one_delivery(hub: Simulated, office: Peer, province: Peer) -> None:
    office.send("H41")
    hub.control.put("/old-axis", ["sender-is-always-vpcp"])
    receiver = Rest(hub, province)
    (item,) = receiver.look()
    assert (item["document"]["sender"], item["document"]["issuer"]) == ("G22", "G22")
    assert receiver.request("GET", f"/v1/deliveries/{item['id']}").json() == item
    assert receiver.request("GET", f"/v1/deliveries/{'0' * 24}").json()["code"] == "not-found"


def test_what_the_packet_says_and_statuses_stay_as_they_are(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    hub.control.put("/old-axis", ["sender-is-always-vpcp"])
    packet = a_packet(office)
    delivery = office.post(packet).body["deliveries"][0]["id"]
    assert software(hub, province, dialect).fetch(delivery) == packet
    document, _ = office.issue("H41")
    province.receive(province.waiting()[-1])
    province.report("01", document)
    (item,) = Rest(hub, office).look()
    assert (item["document"]["sender"], item["status"]["from"]) == ("G12", "H41")


@pytest.mark.parametrize("changes", TOO_LONG, ids=["subject", "content"])
def test_what_is_longer_than_255_is_acknowledged_and_reaches_nobody(
    hub: Simulated, office: Peer, province: Peer, dialect: str, changes: dict[str, Any]
) -> None:
    sender, receiver = software(hub, office, dialect), software(hub, province, dialect)
    hub.control.put("/old-axis", ["limit-255"])
    assert sender.send(a_packet(office)) == "sent"
    assert sender.send(a_packet(office, **changes)) == "sent"
    assert len(receiver.listed()) == 1
    lost = [each for each in province.waiting() if each not in receiver.listed()]
    assert len(lost) == 1
    assert receiver.fetch(lost[0]) is None
    assert hub.control.counts == {"limit-255": 1}


@pytest.mark.parametrize("changes", TOO_LONG, ids=["subject", "content"])
def test_this_hub_itself_delivers_it(
    hub: Simulated, office: Peer, province: Peer, dialect: str, changes: dict[str, Any]
) -> None:
    assert software(hub, office, dialect).send(a_packet(office, **changes)) == "sent"
    assert len(software(hub, province, dialect).listed()) == 1


def test_a_file_name_longer_than_255_is_acknowledged_too_though_this_hub_refuses_it(
    hub: Simulated, office: Peer, province: Peer, dialect: str
) -> None:
    sender, packet = software(hub, office, dialect), a_packet(office, **FILE)
    assert sender.send(packet) == ("packet-refused" if dialect == "rest" else "name-too-long")
    hub.control.put("/old-axis", ["limit-255"])
    assert sender.send(packet) == "sent"
    assert province.waiting() == []


def test_the_invented_acknowledgement_is_like_a_real_one_and_the_same_again(
    hub: Simulated, office: Peer, province: Peer
) -> None:
    real = Rest(hub, office).request("POST", "/v1/documents", a_packet(office))
    packet = a_packet(office, **FILE)
    hub.control.put("/old-axis", ["limit-255"])
    first, again = (Rest(hub, office).request("POST", "/v1/documents", packet) for _ in range(2))
    assert first.json() == again.json()
    assert first.json().keys() == real.json().keys()
    assert first.json()["deliveries"][0].keys() == real.json()["deliveries"][0].keys()
    assert first.json()["signature"] == real.json()["signature"]


def test_whatever_else_is_wrong_with_it_is_refused(hub: Simulated, office: Peer, dialect: str) -> None:
    hub.control.put("/old-axis", ["limit-255"])
    sender = software(hub, office, dialect)
    assert sender.send(a_packet(office, **FILE, subject="")) != "sent"
    assert sender.send(office.packet(office.draft("H41", subject=LONG), signed=False)) == "signature-required"


def test_a_number_of_another_year_is_taken(hub: Simulated, office: Peer, province: Peer, dialect: str) -> None:
    sender = software(hub, office, dialect)
    last_year = a_packet(office, number="15", symbol="BTC-VP", date="2024/03/12")
    this_year = a_packet(office, number="015", symbol="BTC-VP", date="2025/03/12")
    assert sender.send(last_year) == "sent"
    hub.control.put("/old-axis", ["duplicates-across-years"])
    assert sender.send(this_year) == "number-taken"
    assert sender.send(last_year) == "sent"
    assert sender.send(a_packet(office, number="16", symbol="BTC-VP", date="2025/03/12")) == "sent"
    assert hub.control.counts == {"duplicates-across-years": 1}
    hub.control.put("/old-axis", [])
    assert sender.send(this_year) == "sent"
    hub.control.put("/old-axis", ["duplicates-across-years"])
    assert sender.send(this_year) == "sent"


def test_the_number_of_another_sender_is_free(hub: Simulated, office: Peer, province: Peer, stranger: Peer) -> None:
    hub.control.put("/old-axis", ["duplicates-across-years"])
    assert Rest(hub, office).send(a_packet(office, number="15", date="2024/03/12")) == "sent"
    assert Rest(hub, stranger).send(a_packet(stranger, number="15", date="2025/03/12")) == "sent"


def test_what_cannot_be_read_is_refused_as_always(hub: Simulated, office: Peer, dialect: str) -> None:
    hub.control.put("/old-axis", ["duplicates-across-years", "limit-255", "sender-is-always-vpcp"])
    assert software(hub, office, dialect).send(b"Xin ch\xc3\xa0o") == "xml-not-xml"


def test_the_number_of_another_s_document_is_told_to_nobody(
    hub: Simulated, office: Peer, province: Peer, stranger: Peer, dialect: str
) -> None:
    """Whoever sent in another's name once learned the id of that agency's document."""
    assert software(hub, office, dialect).send(a_packet(office, number="15", date="2024/03/12")) == "sent"
    hub.control.put("/old-axis", ["duplicates-across-years"])
    in_its_name = a_packet(office, number="15", date="2025/03/12")
    assert software(hub, stranger, dialect).send(in_its_name) == "not-your-agency"
    assert hub.control.counts == {}


@pytest.mark.parametrize("failure", ["limit-255", "duplicates-across-years"])
def test_who_is_not_known_is_refused_before_a_byte_of_the_body_is_read(hub: Simulated, failure: str) -> None:
    hub.control.put("/old-axis", [failure])
    host, _, port = hub.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(
            b"POST /v1/documents HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer x\r\nContent-Length: 1000000\r\n\r\n"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("failure", ["limit-255", "duplicates-across-years"])
def test_what_is_too_large_is_refused_before_a_byte_of_it_is_read(hub: Simulated, office: Peer, failure: str) -> None:
    hub.control.put("/old-axis", [failure])
    host, _, port = hub.base_url.removeprefix("http://").partition(":")
    token = office.credentials["token"]
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(
            f"POST /v1/documents HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Length: {10**11}\r\n\r\n".encode()
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")
