"""Sending documents, checking them first, and reading them back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from builders.api import NINE, STORED, UNKNOWN, Agency, Hub, office_and_provinces, refused, with_recipients
from builders.axis import Peer

from hub.domain.document import Business, Document, DocumentRef, Organization
from hub.store import console_tables
from hub.store import tables as t


def revoking(office: Agency, document_id: str) -> bytes:
    named = DocumentRef(document_id=document_id)
    return office.packet("H41", business=Business(type="1", reason="Thu hồi"), response_for=(named,))


def rules(violations: list[dict[str, Any]]) -> set[str]:
    return {violation["rule"] for violation in violations}


def test_a_new_document_is_accepted_with_everything_its_sender_needs_to_know(hub: Hub) -> None:
    office, *_ = office_and_provinces(hub)
    document = office.peer.draft("H41", "000.00.00.H27", sender=Organization("G22", name="Văn phòng Chính phủ"))
    packet = office.peer.packet(document)
    answer = office.post("/v1/documents", packet)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    first, second = (delivery["id"] for delivery in body["deliveries"])
    assert len({body["id"], first, second}) == 3
    assert all(len(one) == 24 and set(one) <= set("0123456789abcdef") for one in (body["id"], first, second))
    names = {"H41": "Ủy ban nhân dân tỉnh Nghệ An", "000.00.00.H27": "Ủy ban nhân dân tỉnh Hà Tĩnh"}
    assert body == {
        "id": body["id"],
        "document_id": "G22,2025/09/30,1/VP",
        "sha256": hashlib.sha256(packet).hexdigest(),
        "accepted_at": NINE,
        "issuer": "G22",
        "issuer_basis": "from",
        "signature": {"standing": "signed", "signer": "G22"},
        "warnings": [
            {
                "rule": "name-directory",
                "severity": "warning",
                "pointer": f"MessageHeader/To[{n}]/OrganName",
                "value": written,
                "message": {
                    "vi": f"Tên cơ quan khác với danh mục: mã {written[-3:]} là “{name}”.",
                    "en": f"The name differs from the directory: {written[-3:]} is “{name}”.",
                },
                "repair": name,
            }
            for n, (written, name) in enumerate(names.items(), 1)
        ],
        "deliveries": [
            {"id": first, "to": "H41", "state": "waiting"},
            {"id": second, "to": "000.00.00.H27", "state": "waiting"},
        ],
        "receipt": body["receipt"],
        "added_receipts": [],
    }


def test_the_same_packet_again_is_answered_200_with_the_first_answer(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    packet = office.packet("H41")
    first = office.post("/v1/documents", packet)
    hub.axis.clock.pass_(minutes=5)
    again = office.post("/v1/documents", packet)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(nghe_an.inbox()) == 1


def test_a_repeat_to_more_recipients_is_answered_200_with_what_it_added(hub: Hub) -> None:
    office, _, ha_tinh = office_and_provinces(hub)
    document, first = office.issue("H41")
    again = office.post("/v1/documents", office.peer.packet(with_recipients(document, "H41", "H27")))
    assert again.status_code == 200
    assert [(d["to"], d["state"]) for d in again.json()["deliveries"]] == [("H41", "waiting"), ("H27", "waiting")]
    assert [item["document"]["id"] for item in ha_tinh.inbox()] == [first["id"]]


def changed_subject(document: Document, _peer: Peer) -> Document:
    return replace(document, subject="V/v nội dung khác")


def another_id(document: Document, peer: Peer) -> Document:
    return replace(document, document_id=f"{peer.code},2025/09/30,1/VP-2")


@pytest.mark.parametrize(
    ("change", "code"), [(changed_subject, "document-conflict"), (another_id, "number-taken")], ids=["id", "number"]
)
def test_a_conflict_names_the_document_it_is_with(hub: Hub, change: Any, code: str) -> None:
    office, *_ = office_and_provinces(hub)
    document, first = office.issue("H41")
    answer = office.post("/v1/documents", office.peer.packet(change(document, office.peer)))
    assert refused(answer, code)["first"] == first["id"]
    assert hub.count(t.document) == 1


def test_a_document_revoked_everywhere_is_not_revoked_again(hub: Hub) -> None:
    office, *_ = office_and_provinces(hub)
    document, _ = office.issue("H41")
    assert office.post("/v1/documents", revoking(office, document.document_id)).status_code == 201
    refused(office.post("/v1/documents", revoking(office, document.document_id)), "already-revoked")


def test_a_packet_from_another_agency_is_403_and_says_whose_the_system_is(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    body = refused(nghe_an.post("/v1/documents", office.packet("H27")), "not-your-agency")
    assert body["violations"][0]["repair"] == "H41 (Ủy ban nhân dân tỉnh Nghệ An)"


def broken(office: Agency) -> bytes:
    """A packet with three errors and a warning."""
    return office.packet("H99", "W00", "H41", subject="", sender=Organization("G22", name="Văn phòng chính phủ"))


def test_every_violation_comes_in_one_answer_with_place_value_and_repair(hub: Hub) -> None:
    office, *_ = office_and_provinces(hub)
    body = refused(office.post("/v1/documents", broken(office)), "packet-refused")
    told = {v["rule"]: (v["severity"], v["pointer"], v["value"]) for v in body["violations"]}
    assert told == {
        "recipient-unknown": ("error", "MessageHeader/To[1]/OrganId", "H99"),
        "recipient-is-node": ("error", "MessageHeader/To[2]/OrganId", "W00"),
        "field-missing": ("error", "MessageHeader/Subject", ""),
    }
    assert all(v["repair"] and v["message"]["vi"] and v["message"]["en"] for v in body["violations"])
    assert rules(body["warnings"]) == {"name-directory"}
    assert body["warnings"][0].keys() == body["violations"][0].keys()
    assert hub.count(*STORED) == 0


def test_a_refused_packet_is_on_record_for_the_operator(hub: Hub) -> None:
    office, *_ = office_and_provinces(hub)
    packet = broken(office)
    answer = office.post("/v1/documents", packet, headers={"X-Request-Id": "vet-1"})
    refused(answer, "packet-refused")
    (row,) = hub.rows(t.refusal)
    assert (row.system_id, row.sender, row.document_id) == (office.peer.system_id, "G22", "G22,2025/09/30,1/VP")
    assert (row.code, row.trace_id, row.size) == ("packet-refused", "vet-1", len(packet))
    assert row.sha256 == hashlib.sha256(packet).hexdigest()


def test_a_status_packet_is_sent_elsewhere(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    document, _ = office.issue("H41")
    body = refused(nghe_an.post("/v1/documents", nghe_an.status("03", document)), "packet-is-status")
    assert body["violations"][0]["repair"] == "POST /v1/statuses; sendEdoc: messagetype=status"


# Validation.


def acceptable(office: Agency) -> bytes:
    return office.packet("H41", due_date="2020/01/01")


def conflicting(office: Agency) -> bytes:
    document, _ = office.issue("H41")
    return office.peer.packet(replace(document, subject="V/v nội dung khác"))


def numbered_twice(office: Agency) -> bytes:
    document, _ = office.issue("H41")
    return office.peer.packet(another_id(document, office.peer))


def repeated(office: Agency) -> bytes:
    packet = office.packet("H41")
    assert office.post("/v1/documents", packet).status_code == 201
    return packet


def foreign(office: Agency) -> bytes:
    return office.packet("H41", sender=Organization("H27", name="Ủy ban nhân dân tỉnh Hà Tĩnh"))


def unsigned(office: Agency) -> bytes:
    return office.peer.packet(office.peer.draft("H41"), signed=False)


def tampered(office: Agency) -> bytes:
    return office.packet("H41").replace("kết nối".encode(), "giả mạo".encode())


def unreadable(_office: Agency) -> bytes:
    return b"<edXML>"


def of_another_year(office: Agency) -> bytes:
    document, _ = office.issue("H41")
    return office.peer.packet(replace(document, promulgation_date="2024/09/30"))


def revoking_the_unknown(office: Agency) -> bytes:
    return revoking(office, "G22,2019/01/01,1/VP")


def revoking_the_revoked(office: Agency) -> bytes:
    document, _ = office.issue("H41")
    assert office.post("/v1/documents", revoking(office, document.document_id)).status_code == 201
    return revoking(office, document.document_id)


def revoking_anothers(office: Agency) -> bytes:
    document, _ = office.hub.enrol("H36").issue("H41")
    return revoking(office, document.document_id)


@pytest.mark.parametrize(
    "build",
    [
        *(acceptable, repeated, broken, conflicting, numbered_twice, foreign, unsigned, tampered, unreadable),
        *(of_another_year, revoking_the_unknown, revoking_the_revoked, revoking_anothers),
    ],
    ids=lambda build: build.__name__,
)
def test_validating_says_what_sending_would_and_stores_nothing(hub: Hub, build: Any) -> None:
    office, *_ = office_and_provinces(hub)
    packet = build(office)
    before = hub.count(*STORED, t.refusal)
    answer = office.post("/v1/documents/validate", packet)
    said = answer.json()
    assert answer.status_code == 200
    assert said.keys() == {"valid", "code", "violations", "warnings"}
    assert hub.count(*STORED, t.refusal) == before
    sent = office.post("/v1/documents", packet)
    body = sent.json()
    assert said["valid"] == (sent.status_code < 400)
    assert said["code"] == body.get("code", "")
    assert said["violations"] == body.get("violations", [])
    assert said["warnings"] == body.get("warnings", [])


# Reading back.


def test_the_sender_sees_every_recipient_and_a_recipient_only_itself(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41", "H27")
    (waiting,) = nghe_an.inbox()
    nghe_an.fetch(waiting["id"])
    hub.axis.clock.pass_(minutes=1)
    assert nghe_an.report("03", document).status_code == 201
    seen = office.get(f"/v1/documents/{sent['id']}").json()
    expires = "2025-10-31T09:00:00.000+07:00"
    past: dict[str, Any] = {"what": "fetch", "state": "waiting", "status": "none", "detail": ""}
    own = {
        "id": waiting["id"],
        "to": "H41",
        "state": "delivered",
        "status": "03",
        "fetched_at": NINE,
        "reason": "",
        "expires_at": expires,
        "requests": [],
        "history": [
            past | {"at": NINE},
            past | {"at": NINE.replace(":00:", ":01:", 1), "what": "done", "state": "delivered"},
            past
            | {
                "at": NINE.replace(":00:", ":01:", 1),
                "what": "status",
                "state": "delivered",
                "status": "03",
                "detail": "Đã tiếp nhận",
            },
        ],
    }
    (other,) = ha_tinh.inbox()
    untouched = {
        "id": other["id"],
        "to": "H27",
        "state": "waiting",
        "status": "none",
        "fetched_at": None,
        "reason": "",
        "expires_at": expires,
        "requests": [],
        "history": [],
    }
    receipts = {name: sent.pop(name) for name in ("receipt", "added_receipts")}
    assert receipts["added_receipts"] == []
    assert seen == sent | {"deliveries": [own, untouched], "state": "open", "links": []}
    part = nghe_an.get(f"/v1/documents/{sent['id']}").json()
    assert part == seen | {"deliveries": [own], "warnings": []}


def test_the_sender_sees_what_was_asked_of_each_recipient_and_what_replaced_the_document(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    document, sent = office.issue("H41")
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    asking = office.post("/v1/documents", revoking(office, document.document_id)).json()
    seen = office.get(f"/v1/documents/{sent['id']}").json()
    assert seen["deliveries"][0]["requests"] == [
        {"ask": "revocation", "outcome": "open", "opened_at": NINE, "closed_at": None}
    ]
    assert seen["links"] == [{"document": asking["id"], "target": sent["id"]}]


def test_what_answers_a_document_is_told_to_no_agency(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41")
    before = [agency.get(f"/v1/documents/{sent['id']}").json() for agency in (office, nghe_an)]
    named = DocumentRef("G22", "1/VP", document.document_id, document.promulgation_date)
    ha_tinh.send("G22", response_for=(named,))
    assert hub.rows(console_tables.reference)
    assert [agency.get(f"/v1/documents/{sent['id']}").json() for agency in (office, nghe_an)] == before


def test_the_packet_comes_back_byte_for_byte_to_sender_and_recipient(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    packet = office.packet("H41").replace(b"\n</edXML>", b"\n\t </edXML>")  # blanks no writer of ours makes
    sent = office.post("/v1/documents", packet).json()
    for reader in (office, nghe_an):
        answer = reader.get(f"/v1/documents/{sent['id']}/packet")
        assert answer.status_code == 200
        assert answer.content == packet
        assert answer.headers["content-type"] == "application/xml"
        assert answer.headers["content-length"] == str(len(packet))
        assert answer.headers["x-packet-sha256"] == sent["sha256"] == hashlib.sha256(packet).hexdigest()
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_reading_a_packet_counts_as_its_fetch_for_the_recipient_alone(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    sent = office.send("H41")

    def fetched() -> Any:
        return office.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]["fetched_at"]

    office.get(f"/v1/documents/{sent['id']}/packet")
    assert fetched() is None
    nghe_an.get(f"/v1/documents/{sent['id']}")
    assert fetched() is None
    nghe_an.get(f"/v1/documents/{sent['id']}/packet")
    assert fetched() == NINE


def test_a_later_recipient_reads_the_packet_that_named_it_and_the_sender_the_first(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    document, sent = office.issue("H41")
    second = office.peer.packet(with_recipients(document, "H27"))
    assert office.post("/v1/documents", second).status_code == 200
    read = {one.peer.code: one.get(f"/v1/documents/{sent['id']}/packet") for one in (office, nghe_an, ha_tinh)}
    assert read["H27"].content == second
    assert read["G22"].content == read["H41"].content != second
    assert read["H27"].headers["x-packet-sha256"] == hashlib.sha256(second).hexdigest()


def test_a_withdrawn_document_is_gone_for_its_recipient_and_stays_for_its_sender(hub: Hub) -> None:
    office, nghe_an, _ = office_and_provinces(hub)
    document, sent = office.issue("H41")
    assert office.report("13", document).status_code == 201
    paths = [f"/v1/documents/{sent['id']}{part}" for part in ("", "/packet", "/attachments/1")]
    paths += [f"/v1/deliveries/{sent['deliveries'][0]['id']}{part}" for part in ("", "/packet")]
    for path in paths:
        refused(nghe_an.get(path), "not-found")
    assert [office.get(path).status_code for path in paths[:3]] == [200, 200, 200]


def test_an_unknown_document_is_not_found(hub: Hub) -> None:
    office, *_ = office_and_provinces(hub)
    for part in ("", "/packet", "/attachments/1"):
        refused(office.get(f"/v1/documents/{UNKNOWN}{part}"), "not-found")
