"""Another agency's ids answer exactly as ids the hub never made: nothing tells that there is something."""

from __future__ import annotations

import json
from typing import Any

import httpx
from builders.api import UNKNOWN, Agency, Hub, office_and_province, office_and_provinces, operations, refused, without
from builders.keys import a_certificate
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.document import Organization
from hub.store import tables as t

STRANGE = "H99"  # an agency nobody lists
SHARED = {("GET", "/v1/agencies/{code}/certificates")}  # public by its purpose: whoever receives must be able to verify


def ask(agency: Agency, method: str, path: str, **values: Any) -> httpx.Response:
    _, certificate = a_certificate("Kẻ lạ")
    body = json.dumps({"certificate": certificate.public_bytes(Encoding.PEM).decode(), "proof": ""}).encode()
    content = {"content": body if path.endswith("certificates") else b"{}"} if method == "POST" else {}
    return agency.hub.ask(method, path.format_map(values), agency.token, **content)


def with_a_history(hub: Hub) -> tuple[Agency, dict[str, set[str]]]:
    """A third party, and every id that two others have made between them: fetched, reported, asked back, waiting."""
    office, nghe_an = office_and_province(hub)
    document, _ = office.issue("H41")
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    nghe_an.report("03", document)
    office.report("13", document, description="Gửi nhầm")
    waiting = office.send("H41")
    nghe_an.post(f"/v1/deliveries/{waiting['deliveries'][0]['id']}/taken")
    withdrawn, _ = office.issue("H41")
    office.report("13", withdrawn, description="Gửi nhầm")
    made = (t.document, t.delivery, t.packet, t.report, t.request, t.evidence, t.system)
    found = {
        "id": {row.id for table in made for row in hub.rows(table)},
        "code": {"G22", "H41", "000.00.00.H41", "H41.15"},
    }
    return hub.enrol("H27"), found


def test_no_operation_tells_anothers_id_from_one_that_never_was(hub: Hub) -> None:
    stranger, ids = with_a_history(hub)
    assert len(ids["id"]) > 10
    unknown = {"id": UNKNOWN, "code": STRANGE, "n": 1, "sha256": "0" * 64}
    tried = 0
    for method, path in operations(hub.app):
        for name in ids:
            if f"{{{name}}}" not in path or (method, path) in SHARED:
                continue
            expected = without(str(unknown[name]))(ask(stranger, method, path, **unknown))
            for other in sorted(ids[name]):
                answer = ask(stranger, method, path, **unknown | {name: other})
                assert without(other)(answer) == expected, (method, path, other)
                refused(answer, "not-found")
                tried += 1
    assert tried > 100


def may_do_nothing(agency: Agency, delivery: str) -> None:
    """No operation on the delivery finds it for this agency."""
    found = [(method, path) for method, path in operations(agency.hub.app) if path.startswith("/v1/deliveries/{id}")]
    assert len(found) == 5
    for method, path in found:
        refused(ask(agency, method, path, id=delivery), "not-found")


def test_a_recipient_can_do_nothing_by_the_ids_of_the_other_recipients(hub: Hub) -> None:
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    sent = office.send("H41", "H27")
    theirs = next(delivery["id"] for delivery in sent["deliveries"] if delivery["to"] == "H27")
    may_do_nothing(nghe_an, theirs)
    for text in (nghe_an.get(f"/v1/documents/{sent['id']}").text, nghe_an.get("/v1/inbox").text):
        assert theirs not in text
        assert "H27" not in text
    assert [item["id"] for item in ha_tinh.inbox()] == [theirs]


def test_a_sender_can_do_nothing_to_the_deliveries_of_its_document(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    delivery = office.send("H41")["deliveries"][0]["id"]
    may_do_nothing(office, delivery)
    assert [item["state"] for item in nghe_an.inbox()] == ["waiting"]


def test_lists_hold_nothing_of_others(hub: Hub) -> None:
    stranger, _ = with_a_history(hub)
    for path in ("/v1/inbox", "/v1/outbox"):
        assert stranger.get(path).json() == {"items": [], "next": None}
        assert stranger.get(path, after="czE").json() == {"items": [], "next": "czE"}


def test_a_report_tells_no_document_of_others_from_one_that_never_was(hub: Hub) -> None:
    stranger, _ = with_a_history(hub)

    def told_about(document_id: str) -> object:
        status = stranger.status("03", stranger.peer.draft("G22", document_id=document_id), other="G22")
        answer = stranger.post("/v1/statuses", status)
        refused(answer, "status-document-unknown")
        return without(document_id)(answer)

    others = [row.document_id for row in hub.rows(t.document)]
    assert len(others) == 3
    expected = told_about("G22,2020/01/01,99999/KHÔNG")
    assert [told_about(document_id) for document_id in others] == [expected] * 3


def test_a_conflict_names_no_document_of_another_sender(hub: Hub) -> None:
    office, nghe_an = office_and_province(hub)
    document, _ = office.issue("H41", number="77", symbol="VPCP-TH")
    sender = Organization("H41", name="Ủy ban nhân dân tỉnh Nghệ An")
    same = nghe_an.packet("G22", number="77", symbol="VPCP-TH", document_id=document.document_id, sender=sender)
    answer = nghe_an.post("/v1/documents", same)
    assert answer.status_code == 201
    assert {w["rule"] for w in answer.json()["warnings"]} == {"name-directory"}
