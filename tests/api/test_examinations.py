"""What the signatures of a document were found to be worth, as its parties read it."""

from __future__ import annotations

import hashlib
from typing import Any

from builders.api import UNKNOWN, Agency, Hub, office_and_provinces, refused, with_recipients
from builders.examined import after_signing, with_files
from builders.pdfs import by_both, typeset

from hub.domain.document import Document


def examined(agency: Agency, document_id: str) -> dict[str, Any]:
    """The answer once all is examined."""
    agency.hub.axis.inspect()
    body: dict[str, Any] = agency.get(f"/v1/documents/{document_id}/examinations").json()
    assert body["pending"] is False
    return body


def issued_with_a_pdf(hub: Hub) -> tuple[Agency, Agency, Agency, Document, dict[str, Any]]:
    after_signing(hub.axis.clock)
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    return office, nghe_an, ha_tinh, *office.issue("H41", **with_files(by_both()))


def test_both_parties_read_the_verdict_its_steps_and_what_it_rests_on(hub: Hub) -> None:
    office, nghe_an, _, _, sent = issued_with_a_pdf(hub)
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    body = examined(office, sent["id"])
    assert examined(nghe_an, sent["id"]) == body
    (item,) = body["items"]
    assert (item["part"], item["name"], item["verdict"]) == (1, "cong-van-1.pdf", "UNTRUSTED_CHAIN")
    leader, agency = item["detail"]["signatures"]
    assert [leader["kind"], agency["kind"]] == ["leader", "agency"]
    assert all({"number", "clause", "result", "vi", "en"} == step.keys() for step in leader["steps"])
    assert leader["path"][0] in item["material"]
    for named in item["material"]:
        der = nghe_an.get(f"/v1/documents/{sent['id']}/material/{named}")
        assert hashlib.sha256(der.content).hexdigest() == named


def test_until_it_is_examined_it_is_pending(hub: Hub) -> None:
    office, _, _, _, sent = issued_with_a_pdf(hub)
    body = office.get(f"/v1/documents/{sent['id']}/examinations").json()
    assert body["pending"] or body["items"]
    examined(office, sent["id"])


def test_nobody_else_reads_it_and_nothing_else_is_handed_out(hub: Hub) -> None:
    office, nghe_an, ha_tinh, _, sent = issued_with_a_pdf(hub)
    named = examined(office, sent["id"])["items"][0]["material"][0]
    other = office.send("H27", **with_files(typeset()))
    examined(office, other["id"])
    for agency in (nghe_an, ha_tinh):  # one has not fetched it
        refused(agency.get(f"/v1/documents/{sent['id']}/examinations"), "not-found")
        refused(agency.get(f"/v1/documents/{sent['id']}/material/{named}"), "not-found")
    refused(office.get(f"/v1/documents/{other['id']}/material/{named}"), "not-found")
    refused(office.get(f"/v1/documents/{sent['id']}/material/{'0' * 64}"), "not-found")
    refused(office.get(f"/v1/documents/{UNKNOWN}/examinations"), "not-found")


def test_a_recipient_reads_of_the_packet_that_it_has(hub: Hub) -> None:
    """A repeat for further recipients is a packet of its own, examined by itself."""
    office, nghe_an, ha_tinh, document, sent = issued_with_a_pdf(hub)
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    assert office.post("/v1/documents", office.peer.packet(with_recipients(document, "H41", "H27"))).status_code == 200
    ha_tinh.receive(ha_tinh.inbox()[0]["id"])
    assert len(examined(office, sent["id"])["items"]) == 2
    assert [len(examined(agency, sent["id"])["items"]) for agency in (nghe_an, ha_tinh)] == [1, 1]
