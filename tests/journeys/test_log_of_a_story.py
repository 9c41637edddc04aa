"""The log of a hub over a whole story: one id leads from a request to its deliveries and statuses, and nothing that
anybody wrote, nor any secret, stands in it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from builders.axis import Peer
from builders.commands import Hub, serving
from builders.packets import NGHE_AN, a_status

from clients.gateway_client import GatewayClient
from hub.domain import edxml
from hub.domain.document import Document, DocumentRef, Organization, StaffInfo
from hub.domain.signature import sign

REASON = "Chị Hoàng Thị Bí Mật không mở được tệp"
QUERY = "tiền lương của ông Đỗ Văn Riêng"


@dataclass
class Told:
    """What was said to a hub, and what it logged."""

    log: str
    document: str  # its id
    private: set[str]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]


def rest(hub: Hub, peer: Peer, method: str, path: str, content: bytes | None = None, mark: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {peer.credentials['token']}"} | ({"X-Request-Id": mark} if mark else {})
    return httpx.request(method, f"{hub.url}{path}", content=content, headers=headers, timeout=30)


def status_of(peer: Peer, document: Document, code: str, **changes: Any) -> bytes:
    said = a_status(
        sender=Organization(organ_id=peer.code, name="Ủy ban nhân dân tỉnh Nghệ An"),
        response_for=DocumentRef(document.sender.organ_id, document_id=document.document_id),
        status=code, timestamp="2026/01/01 09:00:00", **changes,
    )  # fmt: skip
    return sign(edxml.write_status(said), peer.key, peer.certificate)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("story")
    with serving(folder) as hub:
        office, province = hub.peer("G22", "--name", "Văn phòng Chính phủ"), hub.peer("H41")
        document = office.draft("H41", subject="V/v kỷ luật ông Phạm Văn Kín", content="Nội dung mật của văn bản")
        packet = office.packet(document)
        sent = rest(hub, office, "POST", "/v1/documents", packet, "gui-1")
        assert sent.status_code == 201, sent.text
        delivery = sent.json()["deliveries"][0]["id"]
        assert rest(hub, province, "GET", "/v1/inbox?limit=5").status_code == 200
        assert rest(hub, province, "POST", f"/v1/deliveries/{delivery}/taken", mark="giu-1").status_code == 200
        assert rest(hub, province, "GET", f"/v1/deliveries/{delivery}/packet", mark="lay-1").content == packet
        assert rest(hub, province, "POST", f"/v1/deliveries/{delivery}/done", mark="xong-1").status_code == 200
        for code, mark in (("01", "den-1"), ("02", "tra-lai-1")):
            report = status_of(province, document, code, description=REASON)
            assert rest(hub, province, "POST", "/v1/statuses", report, mark).status_code == 201
        # What is refused, and what is asked wrongly.
        again = office.draft("Z99", subject="V/v đơn của bà Vũ Thị Giấu", number="7")
        assert rest(hub, office, "POST", "/v1/documents", office.packet(again), "sai-1").status_code == 422
        assert rest(hub, office, "POST", "/v1/documents", packet[:-40]).status_code == 422
        assert rest(hub, office, "GET", f"/v1/agencies?q={QUERY}").status_code == 200
        wrong = {"Authorization": "Bearer sai-token-cua-toi"}
        assert httpx.get(f"{hub.url}/v1/inbox", headers=wrong).status_code == 401
        failing = rest(hub, office, "POST", "/v1/documents", office.packet(office.draft("H41", number="8")), "gui-2")
        other = failing.json()["deliveries"][0]["id"]
        body = json.dumps({"reason": REASON}).encode()
        assert rest(hub, province, "POST", f"/v1/deliveries/{other}/failed", body).status_code == 200
        # The same by the gateway.
        with GatewayClient(f"{hub.url}/axis", office.system_id, office.credentials["secret"]) as gateway:
            assert gateway.send_edoc(office.packet(office.draft("H41", number="9")), sender="G22").ok
        with GatewayClient(f"{hub.url}/axis", province.system_id, province.credentials["secret"]) as gateway:
            for item in gateway.get_received_edoc_list("edoc").items:
                assert gateway.get_edoc(item["docId"]).ok
                assert gateway.update_status(item["docId"], "fail", REASON).ok
        with GatewayClient(f"{hub.url}/axis", province.system_id, "bi-mat-doan-mo") as gateway:
            assert not gateway.get_received_edoc_list("edoc").ok
    private = {
        *(peer.credentials[name] for peer in (office, province) for name in ("token", "secret", "code")),
        "sai-token-cua-toi", "bi-mat-doan-mo", REASON, QUERY, "Văn phòng Chính phủ", "Nghệ An",
        *(text for found in (document, again) for text in _written(found)),
    }  # fmt: skip
    return Told((folder / "hub.log").read_text("utf-8"), sent.json()["id"], private)


def _written(document: Document) -> Iterator[str]:
    """What people wrote in a document, and who they are."""
    yield from (document.subject, document.content, document.signer, document.sender.email, NGHE_AN.email)
    for staff in (*document.business.staff, a_status().staff):
        if isinstance(staff, StaffInfo):
            yield from (staff.staff, staff.email)
    for attachment in document.attachments:
        yield from (attachment.name, attachment.description, base64.b64encode(attachment.content).decode()[:40])


def test_nothing_that_somebody_wrote_and_no_secret_stands_in_the_log(told: Told) -> None:
    private = {text for text in told.private if text}
    assert len(private) > 20
    log = told.log + json.dumps(told.lines, ensure_ascii=True)  # however a letter was written
    assert {text for text in private if text in log or json.dumps(text)[1:-1] in log} == set()
    assert not re.search(r"[\w.]+@[\w.]+", told.log), "an e-mail address"
    assert not re.search(r"Bearer|BEGIN CERTIFICATE|edXML", told.log)


def test_a_document_s_id_leads_from_its_acceptance_to_its_last_status(told: Told) -> None:
    of_it = [line for line in told.lines if line.get("document") == told.document]
    requests = [(line["trace_id"], line.get("outcome", "")) for line in of_it if line["event"] == "request"]
    assert requests == [
        ("gui-1", "accepted"), ("giu-1", ""), ("lay-1", ""), ("xong-1", ""), ("den-1", "reported"),
        ("tra-lai-1", "reported"),
    ]  # fmt: skip
    events = [line["event"] for line in of_it if line["event"] != "request"]
    assert events == ["claim", "fetched", "done"]


def test_every_line_of_a_request_has_its_id_and_a_refused_one_its_rule(told: Told) -> None:
    lines = [line for line in told.lines if line["event"] == "request"]
    assert len(lines) > 15
    assert all(line["trace_id"] for line in lines)
    [refused] = [line for line in lines if line["trace_id"] == "sai-1"]
    assert (refused["outcome"], refused["code"], bool(refused["refusal"])) == ("refused", "packet-refused", True)
    assert [line for line in told.lines if line["level"] == "error"] == []
