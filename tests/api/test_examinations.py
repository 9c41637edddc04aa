"""What a document's signatures were found to be worth, as its parties read it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from builders.api import UNKNOWN, Agency, Hub, office_and_provinces, refused
from builders.judged import AT
from builders.pdfs import by_both

from hub.domain.document import Attachment, ManifestEntry


def examined(agency: Agency, document_id: str) -> dict[str, Any]:
    """The answer once all is examined."""
    agency.hub.axis.inspect()
    body: dict[str, Any] = agency.get(f"/v1/documents/{document_id}/examinations").json()
    assert body["pending"] is False
    return body


def sent_with_a_pdf(hub: Hub) -> tuple[Agency, Agency, Agency, dict[str, Any]]:
    hub.axis.clock.pass_(seconds=(AT + timedelta(hours=1) - hub.axis.clock()).total_seconds())
    office, nghe_an, ha_tinh = office_and_provinces(hub)
    pdf = by_both()
    file = Attachment("tep-1", "cong-van.pdf", pdf, pdf, "application/pdf", "Công văn")
    entry = ManifestEntry("tep-1", "application/pdf", "cong-van.pdf", "Công văn")
    return office, nghe_an, ha_tinh, office.send("H41", manifest=(entry,), attachments=(file,))


def test_both_parties_read_the_verdict_its_steps_and_what_it_rests_on(hub: Hub) -> None:
    office, nghe_an, _, sent = sent_with_a_pdf(hub)
    nghe_an.receive(nghe_an.inbox()[0]["id"])
    body = examined(office, sent["id"])
    assert examined(nghe_an, sent["id"]) == body
    (item,) = body["items"]
    assert (item["part"], item["name"], item["verdict"]) == (1, "cong-van.pdf", "UNTRUSTED_CHAIN")
    leader, agency = item["detail"]["signatures"]
    assert [leader["kind"], agency["kind"]] == ["leader", "agency"]
    assert all({"vi", "en", "clause", "result"} <= step.keys() for step in leader["steps"])
    named = leader["path"][0]
    der = office.get(f"/v1/documents/{sent['id']}/material/{named}")
    assert hashlib.sha256(der.content).hexdigest() == named


def test_nobody_else_reads_it_and_nothing_else_is_handed_out(hub: Hub) -> None:
    office, nghe_an, ha_tinh, sent = sent_with_a_pdf(hub)
    named = examined(office, sent["id"])["items"][0]["detail"]["signatures"][0]["path"][0]
    other = office.send("H27")
    for agency in (nghe_an, ha_tinh):  # one has not fetched it
        refused(agency.get(f"/v1/documents/{sent['id']}/examinations"), "not-found")
        refused(agency.get(f"/v1/documents/{sent['id']}/material/{named}"), "not-found")
    refused(office.get(f"/v1/documents/{other['id']}/material/{named}"), "not-found")
    refused(office.get(f"/v1/documents/{sent['id']}/material/{'0' * 64}"), "not-found")
    refused(office.get(f"/v1/documents/{UNKNOWN}/examinations"), "not-found")
