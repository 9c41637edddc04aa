"""Reporting what became of a document: ``POST /v1/statuses``."""

from __future__ import annotations

from typing import Any

from builders.api import NINE, Agency, Hub, office_and_province, refused

from hub.domain.document import Document, DocumentRef, Organization
from hub.store import tables as t


def with_a_fetched_document(hub: Hub) -> tuple[Agency, Agency, Document, dict[str, Any]]:
    """The Government Office, Nghệ An, and a document that Nghệ An has fetched."""
    office, nghe_an = office_and_province(hub)
    document, sent = office.issue("H41")
    nghe_an.fetch(sent["deliveries"][0]["id"])
    return office, nghe_an, document, sent


def test_a_report_is_answered_with_what_it_did_and_goes_to_the_sender(hub: Hub) -> None:
    office, nghe_an, document, sent = with_a_fetched_document(hub)
    packet = nghe_an.status("03", document)
    answer = nghe_an.post("/v1/statuses", packet)
    body = answer.json()
    assert answer.status_code == 201
    assert body == {
        "id": body["id"],
        "document": sent["id"],
        "status": "03",
        "accepted_at": NINE,
        "delivery": body["delivery"],
        "warnings": [],
        "deliveries": [
            {"id": sent["deliveries"][0]["id"], "to": "H41", "effect": "moves", "state": "delivered", "status": "03"}
        ],
        "receipt": body["receipt"],
    }
    (item,) = office.inbox()
    assert item["id"] == body["delivery"]
    assert office.fetch(item["id"]) == packet


def test_the_same_report_again_is_answered_200_with_the_first_answer(hub: Hub) -> None:
    office, nghe_an, document, _ = with_a_fetched_document(hub)
    first = nghe_an.report("03", document)
    hub.axis.clock.pass_(minutes=5)
    again = nghe_an.report("03", document)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(office.inbox()) == 1


def test_a_take_back_of_what_nobody_fetched_withdraws_it_unseen(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    document, sent = office.issue("H41")
    body = office.report("13", document, description="Gửi nhầm").json()
    assert [(d["effect"], d["state"]) for d in body["deliveries"]] == [("asks", "withdrawn")]
    assert body["delivery"] is None
    assert nghe_an.inbox() == []
    assert office.get(f"/v1/documents/{sent['id']}").json()["state"] == "withdrawn"


def test_a_take_back_of_what_was_fetched_is_a_request_its_recipient_answers(hub: Hub) -> None:
    office, nghe_an, document, sent = with_a_fetched_document(hub)
    asked = office.report("13", document, description="Gửi nhầm").json()
    (item,) = [item for item in nghe_an.inbox() if item["type"] == "status"]
    assert (item["id"], item["status"]["code"]) == (asked["delivery"], "13")
    nghe_an.fetch(item["id"])
    answered = nghe_an.report("15", document, description="Đồng ý").json()
    assert [(d["effect"], d["status"]) for d in answered["deliveries"]] == [("answers", "cancelled")]
    seen = office.get(f"/v1/documents/{sent['id']}").json()
    assert seen["state"] == "withdrawn"
    assert [(r["ask"], r["outcome"]) for r in seen["deliveries"][0]["requests"]] == [("take-back", "agreed")]


def test_a_report_on_what_was_never_fetched_says_what_is_allowed_instead(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    document, _ = office.issue("H41")
    body = refused(nghe_an.report("03", document), "status-not-allowed")
    assert body["violations"][0]["repair"] == "13"


def test_everything_wrong_with_a_report_is_told_at_once(hub: Hub) -> None:
    _, nghe_an, document, _ = with_a_fetched_document(hub)
    answer = nghe_an.report("99", document, timestamp="01/10/2025", response_for=DocumentRef("G22"))
    told = {v["rule"]: v["pointer"] for v in refused(answer, "status-field-missing")["violations"]}
    assert told == {
        "status-field-missing": "MessageHeader/ResponseFor/DocumentId",
        "status-timestamp": "MessageHeader/Timestamp",
        "status-code-unknown": "MessageHeader/StatusCode",
    }
    assert hub.count(t.report) == 0
    (row,) = hub.rows(t.refusal)
    assert (row.system_id, row.sender, row.code) == (nghe_an.peer.system_id, "H41", "status-field-missing")


def test_a_moment_no_calendar_has_is_refused_and_the_last_one_kept(hub: Hub) -> None:
    office, nghe_an, document, _ = with_a_fetched_document(hub)
    for timestamp in ("0001/01/01 00:00:00", "2025/13/01 00:00:00", "0000/01/01 00:00:00", "2025/10/01"):
        refused(nghe_an.report("03", document, timestamp=timestamp), "status-timestamp")
    assert nghe_an.report("03", document, timestamp="9999/12/31 23:59:59").status_code == 201
    assert office.inbox()[0]["status"]["stated_at"] == "9999-12-31T23:59:59.000+07:00"


def test_a_refusal_needs_its_reason(hub: Hub) -> None:
    _, nghe_an, document, _ = with_a_fetched_document(hub)
    refused(nghe_an.report("02", document, description=""), "status-reason-missing")
    assert nghe_an.report("02", document, description="Sai thẩm quyền").status_code == 201


def test_a_document_packet_is_sent_elsewhere(hub: Hub) -> None:
    office = hub.enrol("G22")
    hub.enrol("H41")
    body = refused(office.post("/v1/statuses", office.packet("H41")), "packet-is-document")
    assert body["violations"][0]["repair"] == "POST /v1/documents; sendEdoc: messagetype=edoc"


def test_nobody_reports_in_anothers_name(hub: Hub) -> None:
    _, nghe_an, document, sent = with_a_fetched_document(hub)
    ha_tinh = hub.enrol("H27")
    refused(ha_tinh.post("/v1/statuses", nghe_an.status("06", document)), "not-your-agency")
    forged = ha_tinh.status("06", document, sender=Organization("H41", name="Nghệ An"))
    refused(nghe_an.post("/v1/statuses", forged), "certificate-other-agency")
    assert nghe_an.get(f"/v1/documents/{sent['id']}").json()["deliveries"][0]["status"] == "none"
