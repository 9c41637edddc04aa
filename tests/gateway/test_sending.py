"""``sendEdoc`` and ``getSentEdocList``: one document for however many tries, and what became of it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from builders.api import STORED
from builders.axis import Peer, acting
from builders.gateway import a_client, call, request, say, signed
from builders.reports import packet_of, ref
from builders.served import Served
from sqlalchemy import Table, func, select

from clients.gateway_client import hash_file
from hub.domain.document import Organization
from hub.gateway import sending
from hub.store import tables as t
from hub.store.engine import reading

FINE = {"status": "OK", "ErrorCode": "0", "ErrorDesc": "Thanh cong"}


def rows(hub: Served, *tables: Table) -> list[int]:
    with reading(hub.axis.desk.engine) as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def send(hub: Served, peer: Peer, body: bytes, **arguments: str | None) -> dict[str, Any]:
    """A ``sendEdoc`` by hand: ``body`` and the arguments as they are."""
    given: dict[str, Any] = {"from": peer.code, "servicetype": "eDoc", "messagetype": "edoc"} | arguments
    named = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
    answer = call(hub, peer, "sendEdoc", body, **named)
    assert answer.status == 200
    return answer.body


def refused(answer: dict[str, Any], code: str, rule: str) -> str:
    """What a refusal says: its ErrorCode and rule are these, and no document came of it."""
    said = str(answer["ErrorDesc"])
    assert (answer["status"], answer["ErrorCode"], answer["DocId"]) == ("FAIL", code, ""), answer
    assert f"[{rule}]" in said, said
    return said


def test_one_line_end_is_taken_off_and_no_more(hub: Served, office: Peer) -> None:
    for ending in (b"", b"\r\n", b"\r\n\r\n", b"\n"):
        packet = office.packet(office.draft("H41")) + ending
        answer = send(hub, office, packet + b"\r\n", hash_file=hash_file(packet))
        assert answer["ErrorCode"] == "0"
        with reading(hub.axis.desk.engine) as connection:
            stored = connection.execute(select(t.packet.c.body).where(t.packet.c.document_id == answer["DocId"]))
            assert stored.scalar_one() == packet


def test_a_client_that_appends_nothing_is_understood_by_its_hash(hub: Served, office: Peer) -> None:
    for ending in (b"", b"\r\n"):
        packet = office.packet(office.draft("H41")) + ending
        assert send(hub, office, packet, hash_file=hash_file(packet))["ErrorCode"] == "0"


def test_the_hash_may_be_written_with_its_zeros(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    assert send(hub, office, packet + b"\r\n", hash_file=hashlib.sha256(packet).hexdigest())["ErrorCode"] == "0"


@pytest.mark.parametrize("changed", [b"x", b"", b"\r\n"], ids=["another", "none", "only-a-line-end"])
def test_another_body_than_the_signed_one_is_refused_and_nothing_is_kept(
    hub: Served, office: Peer, changed: bytes
) -> None:
    packet = office.packet(office.draft("H41"))
    refused(send(hub, office, changed, hash_file=hash_file(packet)), "15", "gateway-body")
    assert rows(hub, *STORED, t.refusal) == [0] * (len(STORED) + 1)


def test_a_hash_that_is_not_among_the_signed_keys_does_not_count(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    headers = [*signed(office, {"from": "G22"}), ("XroadVnpt-hash-file", hash_file(packet))]
    refused(say(hub, request("sendEdoc", headers, packet + b"\r\n")).body, "15", "gateway-body")


def test_a_packet_that_comes_five_times_at_once_is_one_document(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41", "H17"))
    headers = signed(office, {"from": "G22", "hash-file": hash_file(packet)})
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: say(hub, request("sendEdoc", headers, packet + b"\r\n")).body, range(5)))
    assert len({answer["DocId"] for answer in answers}) == 1
    assert rows(hub, t.document, t.delivery) == [1, 2]


def test_the_same_document_by_both_dialects_is_one(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    with a_client(hub, office) as client:
        assert client.send_edoc(packet, sender="G22").doc_id == office.post(packet).body["id"]


def test_to_may_name_the_packets_recipients_in_either_generation(hub: Served, office: Peer) -> None:
    with a_client(hub, office) as client:
        for to in (None, ["H41", "H17"], ["000.00.00.H17", "000.00.00.H41"], []):
            assert client.send_edoc(office.packet(office.draft("H41", "H17")), sender="G22", to=to).ok
        assert client.send_edoc(office.packet(office.draft("H41")), sender="G22", to="000.00.00.H41").ok
    packet = office.packet(office.draft("H41"))
    assert send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), to="H41")["ErrorCode"] == "0"


def test_to_left_over_from_an_earlier_document_loses_no_recipient(hub: Served, office: Peer) -> None:
    """The client never clears its map: a `to` that narrowed would leave out whom this document names."""
    with a_client(hub, office) as client:
        assert client.send_edoc(office.packet(office.draft("H41")), sender="G22", to=["H41"]).ok
        answer = client.send_edoc(office.packet(office.draft("H41", "H17")), sender="G22")
    assert "-H17" in refused(dict(answer.body), "18", "to-differs")
    assert rows(hub, t.document) == [1]


def test_to_names_whom_the_packet_does_not(hub: Served, office: Peer) -> None:
    with a_client(hub, office) as client:
        answer = client.send_edoc(office.packet(office.draft("H41")), sender="G22", to=["H41", "H17"])
    assert "+H17" in refused(dict(answer.body), "18", "to-differs")


@pytest.mark.parametrize("to", ["1", "{}", "[1]", "[null]", '["H41",{}]', "null"])
def test_to_that_names_no_codes_is_refused(hub: Served, office: Peer, to: str) -> None:
    packet = office.packet(office.draft("H41"))
    refused(send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), to=to), "22", "gateway-argument")


def test_from_must_be_the_packets_sender(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    said = refused(
        send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), **{"from": "H17"}), "19", "from-differs"
    )
    assert "from = G22" in said


def test_who_sends_for_another_agency_is_refused(hub: Served, office: Peer) -> None:
    stranger = hub.axis.enrol("H19")
    packet = office.packet(office.draft("H41"))
    for sender in ("G22", "H19"):
        answer = send(hub, stranger, packet + b"\r\n", hash_file=hash_file(packet), **{"from": sender})
        refused(answer, "19", "not-your-agency")


def test_an_agency_below_the_system_sends_too(hub: Served, office: Peer) -> None:
    packet = office.packet(
        office.draft("H41", sender=Organization(organ_id="000.00.07.G22", name="Vụ Thư ký - Biên tập"))
    )
    assert (
        send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), **{"from": "000.00.07.G22"})["status"] == "OK"
    )


def test_a_platform_may_name_itself_as_the_sender_of_what_its_unit_sends(hub: Served, office: Peer) -> None:
    """The national axis takes no other ``from`` than the account's own code."""
    unit = Organization(organ_id="000.00.07.G22", name="Vụ Thư ký - Biên tập")
    packet = office.packet(office.draft("H41", sender=unit))
    assert (
        send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), **{"from": "000.00.00.G22"})["status"] == "OK"
    )


@pytest.mark.parametrize("given", ["edoc", "EDOC", "", None])
def test_documents_are_edoc_and_statuses_are_told_apart(hub: Served, office: Peer, given: str | None) -> None:
    packet = office.packet(office.draft("H41"))
    answer = send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), messagetype=given)
    assert answer["ErrorCode"] == "0"
    said = refused(
        send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), messagetype="status"),
        "22", "packet-is-document",
    )  # fmt: skip
    assert "messagetype=edoc" in said


def test_a_status_sent_as_a_document_is_told_what_to_set(hub: Served, office: Peer) -> None:
    packet = packet_of(office, status="03")
    answer = send(hub, office, packet + b"\r\n", hash_file=hash_file(packet))
    assert "messagetype=status" in refused(answer, "22", "packet-is-status")


def test_an_unknown_messagetype_is_refused(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("H41"))
    answer = send(hub, office, packet + b"\r\n", hash_file=hash_file(packet), messagetype="document")
    refused(answer, "22", "gateway-argument")


def test_a_refusal_tells_every_rule_in_ascii_and_is_on_record(hub: Served, office: Peer) -> None:
    packet = office.packet(office.draft("X99", "H55", subject="", number=""))
    body = request("sendEdoc", signed(office, {"from": "G22", "hash-file": hash_file(packet)}), packet + b"\r\n")
    said = refused(say(hub, body).body, "18", "recipient-unknown")
    assert "[field-missing]" in said
    assert "Cách sửa" in said
    assert rows(hub, t.document, t.refusal) == [0, 1]


REFUSED_AS = {
    "unreadable": (b"<edXML/>", "10", "xml-no-envelope"),
    "doctype": (b'<!DOCTYPE edXML [<!ENTITY x SYSTEM "file:///etc/passwd">]><edXML/>', "10", "xml-doctype"),
    "no-xml": (b"PK\x03\x04", "10", "xml-not-xml"),
    "empty": (b"", "10", "xml-empty"),
}


@pytest.mark.parametrize(("body", "code", "rule"), REFUSED_AS.values(), ids=REFUSED_AS)
def test_what_cannot_be_read_is_code_10(hub: Served, office: Peer, body: bytes, code: str, rule: str) -> None:
    refused(send(hub, office, body + b"\r\n", hash_file=hash_file(body)), code, rule)


def test_each_kind_of_refusal_has_its_code(hub: Served, office: Peer) -> None:
    hub.axis.enrol("H15")
    hub.axis.steer("H15", "lock")
    packets = {
        ("18", "recipient-not-connected"): office.packet(office.draft("H20")),
        ("18", "recipient-is-node"): office.packet(office.draft("00.22.W00")),
        ("23", "recipient-locked"): office.packet(office.draft("H15")),
        ("21", "attachment-missing"): office.packet(office.draft("H41", attachments=(), manifest=())),
        ("22", "field-missing"): office.packet(office.draft("H41", subject="")),
        ("22", "signature-required"): office.packet(office.draft("H41"), signed=False),
    }
    for (code, rule), packet in packets.items():
        refused(send(hub, office, packet + b"\r\n", hash_file=hash_file(packet)), code, rule)
    first = office.draft("H41", subject="Về kế hoạch năm 2025")
    office.post(office.packet(first))
    other = office.packet(replace(first, subject="Về kế hoạch năm 2026"))
    refused(send(hub, office, other + b"\r\n", hash_file=hash_file(other)), "22", "document-conflict")


def test_a_placeholder_signature_is_for_whoever_may_send_unsigned(hub: Served, office: Peer) -> None:
    """As the vendor's library builds packets: an empty ``Signature`` in the packet's own namespace."""
    legacy = hub.axis.enrol("H19", keyed=False, profile="legacy")
    for peer, expected in ((legacy, "0"), (office, "22")):
        plain = peer.packet(peer.draft("H41"), signed=False)
        packet = plain.replace(b"</edXML:edXMLHeader>", b"<edXML:DigitalSignature/></edXML:edXMLHeader>")
        assert packet != plain
        assert send(hub, peer, packet + b"\r\n", hash_file=hash_file(packet))["ErrorCode"] == expected


def test_a_withdrawal_is_told_in_the_answer_and_in_the_list(hub: Served, office: Peer) -> None:
    """The hub writes no status packet in an agency's name, so a gateway sender reads it here."""
    document, answer = office.issue("H41", "H17")
    asked = packet_of(office, response_for=ref(document, organ_id="H41"), status="13", description="Gửi nhầm")
    with a_client(hub, office) as client:
        told = client.send_edoc(asked, sender="G22", message_type="status")
        assert (told.ok, told.description) == (True, "Thanh cong. Đã rút khi nơi nhận chưa lấy: H41")
        states = {row["toCode"]: row["receiveStatus"] for row in client.get_sent_edoc_list("edoc", answer["id"]).items}
        assert states == {"H41": "fail", "H17": "initial"}
        revoking = office.packet(office.draft("H17", **acting("revocation", document)))
        told = client.send_edoc(revoking, sender="G22")
        assert told.description == "Thanh cong. Đã rút khi nơi nhận chưa lấy: H17"


def test_warnings_stand_beside_the_contract(hub: Served, office: Peer) -> None:
    with a_client(hub, office) as client:
        answer = client.send_edoc(office.packet(office.draft("H41.99")), sender="G22")
    assert answer.description == "Thanh cong"
    assert any("[recipient-unlisted]" in told for told in answer.body["warnings"])


def sent(hub: Served, peer: Peer, **arguments: str) -> list[dict[str, str]]:
    answer = call(hub, peer, "getSentEdocList", **arguments)
    assert answer.body["ErrorCode"] == "0", answer.body
    found: list[dict[str, str]] = answer.body["data"]
    return found


def test_the_sent_list_says_who_received_what_and_when(hub: Served, office: Peer, province: Peer) -> None:
    _, answer = office.issue("H41", "000.00.00.H17", subject="Về việc kết nối", number="15", symbol="VPCP-KSTT")
    hub.axis.clock.pass_(minutes=5)
    first, second = (delivery["id"] for delivery in answer["deliveries"])
    province.receive(first)
    assert sent(hub, office, docId=answer["id"]) == [
        {
            "serviceType": "eDoc", "messageType": "edoc", "title": "Về việc kết nối", "notation": "15/VPCP-KSTT",
            "fromCode": "G22", "toCode": "H41", "senderDocId": answer["id"], "receiverDocId": first,
            "sentTime": "2025-10-01 09:00:00", "receivedTime": "2025-10-01 09:05:00", "sendStatus": "done",
            "sendStatusDesc": "Đã gửi", "receiveStatus": "done", "receiveStatusDesc": "Đã nhận",
        },
        {
            "serviceType": "eDoc", "messageType": "edoc", "title": "Về việc kết nối", "notation": "15/VPCP-KSTT",
            "fromCode": "G22", "toCode": "000.00.00.H17", "senderDocId": answer["id"], "receiverDocId": second,
            "sentTime": "2025-10-01 09:00:00", "receivedTime": "", "sendStatus": "done", "sendStatusDesc": "Đã gửi",
            "receiveStatus": "initial", "receiveStatusDesc": "Chưa nhận",
        },
    ]  # fmt: skip


def test_failed_and_expired_deliveries_are_told_with_their_reason(hub: Served, office: Peer, province: Peer) -> None:
    _, failing = office.issue("H41")
    _, expiring = office.issue("H17")
    with a_client(hub, province) as client:
        assert client.get_edoc(failing["deliveries"][0]["id"]).ok
        assert client.update_status(failing["deliveries"][0]["id"], "fail", "Tệp đính kèm hỏng").ok
    hub.axis.clock.pass_(days=31)
    hub.axis.sweep()
    told = {row["senderDocId"]: (row["receiveStatus"], row["receiveStatusDesc"]) for row in sent(hub, office)}
    assert told == {
        failing["id"]: ("fail", "Nơi nhận không nhận được; Tệp đính kèm hỏng"),
        expiring["id"]: ("fail", "Hết hạn, nơi nhận chưa xác nhận"),
    }


def test_what_failed_or_expired_comes_before_the_newest_however_old_it_is(
    hub: Served, office: Peer, province: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PAGE", 4)
    document, failing = office.issue("H41")
    province.fetch(failing["deliveries"][0]["id"])
    province.failed(failing["deliveries"][0]["id"], "Tệp hỏng")
    newer = [office.issue("H41")[1]["id"] for _ in range(6)]
    assert [row["senderDocId"] for row in sent(hub, office)] == [failing["id"], *newer[:2:-1]]
    office.post(office.packet(document))
    assert [row["senderDocId"] for row in sent(hub, office)] == newer[:1:-1], "it is open again"


def test_of_one_document_every_recipient_is_listed(hub: Served, office: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAGE", 4)
    to = [f"H41.{n:02}" for n in range(1, 10)]
    _, answer = office.issue(*to)
    assert [row["toCode"] for row in sent(hub, office, docId=answer["id"])] == to


def test_without_docid_the_newest_come_first_and_older_systems_of_the_agency_count(hub: Served, office: Peer) -> None:
    ids = [office.issue("H41")[1]["id"] for _ in range(2)]
    hub.axis.clock.pass_(minutes=1)
    successor = hub.axis.enrol("G22")
    ids.append(successor.issue("H41", number="99")[1]["id"])
    assert [row["senderDocId"] for row in sent(hub, successor)] == ids[::-1]


def test_a_docid_left_over_from_getedoc_is_no_filter(hub: Served, office: Peer, province: Peer) -> None:
    """The client still has what it fetched last; the list would be empty for ever."""
    _, received = office.issue("H41")
    _, answer = province.issue("G22")
    with a_client(hub, province) as client:
        (item,) = client.get_received_edoc_list("edoc").items
        assert item["docId"] == received["deliveries"][0]["id"]
        assert client.get_edoc(item["docId"]).ok
        assert [row["senderDocId"] for row in client.get_sent_edoc_list().items] == [answer["id"]]


def test_a_docid_that_was_withdrawn_meanwhile_is_no_filter_either(hub: Served, office: Peer, province: Peer) -> None:
    document, received = office.issue("H41")
    _, answer = province.issue("G22")
    taken_back = packet_of(office, response_for=ref(document, organ_id="H41"), status="13", description="Gửi nhầm")
    office.tell(taken_back)
    with a_client(hub, province) as client:
        assert not client.get_edoc(received["deliveries"][0]["id"]).ok
        assert [row["senderDocId"] for row in client.get_sent_edoc_list().items] == [answer["id"]]


def test_sent_statuses_are_listed_as_statuses(hub: Served, office: Peer, province: Peer) -> None:
    document, answer = office.issue("H41", subject="Về việc kết nối", number="15", symbol="VPCP-KSTT")
    province.receive(answer["deliveries"][0]["id"])
    with a_client(hub, province) as client:
        report = packet_of(province, response_for=ref(document), status="03")
        report_id = client.send_edoc(report, sender="H41", message_type="status").doc_id
        (row,) = client.get_sent_edoc_list("status").items
        assert (row["senderDocId"], row["messageType"], row["fromCode"], row["toCode"]) == (
            report_id, "status", "H41", "G22",
        )  # fmt: skip
        assert (row["title"], row["notation"], row["receiveStatus"]) == (
            "03: Về việc kết nối",
            "15/VPCP-KSTT",
            "initial",
        )
        assert client.get_sent_edoc_list("edoc", report_id).items == (row,)
    with a_client(hub, province) as client:
        late = packet_of(province, response_for=ref(document), status="01", timestamp="2025/10/01 09:30:00")
        assert client.send_edoc(late, sender="H41", message_type="status").ok
        newest = next(r for r in client.get_sent_edoc_list("status").items if r["senderDocId"] != report_id)
        assert (newest["receiverDocId"], newest["receiveStatusDesc"]) == ("", "Trục đã ghi nhận")
